#include <webp/decode.h>
#include <webp/demux.h>

#include <cstring>
#include <memory>
#include <string>

#include "aitqe/base/error.h"
#include "byte_reader.h"
#include "codecs.h"

namespace aitqe {
namespace {

struct DeleteDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};
using Demuxer = std::unique_ptr<WebPDemuxer, DeleteDemuxer>;

/// The first picture of the file. Owns the iterator, which must end before the demuxer.
class FirstFrame {
 public:
  explicit FirstFrame(const WebPDemuxer* demuxer)
      : found_(WebPDemuxGetFrame(demuxer, 1, &iterator_) != 0) {}
  ~FirstFrame() { WebPDemuxReleaseIterator(&iterator_); }
  FirstFrame(const FirstFrame&) = delete;
  FirstFrame& operator=(const FirstFrame&) = delete;

  bool found() const { return found_; }
  const WebPIterator& operator*() const { return iterator_; }

 private:
  WebPIterator iterator_{};
  bool found_;
};

const std::uint8_t* bytes_of(std::string_view encoded) {
  return reinterpret_cast<const std::uint8_t*>(encoded.data());
}

std::string status_text(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return "truncated_image: truncated WebP";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "unsupported_image: unsupported WebP";
    default:
      return "broken_image: broken WebP";
  }
}

bool fits(const WebPIterator& frame, const ImageHeader& header) {
  return frame.x_offset >= 0 && frame.y_offset >= 0 && frame.width > 0 && frame.height > 0 &&
         frame.width <= header.width_px - frame.x_offset &&
         frame.height <= header.height_px - frame.y_offset;
}

}  // namespace

ImageHeader read_webp_header(std::string_view encoded) {
  ByteReader reader(encoded, "WebP header");
  reader.take(12);
  const std::string_view kind = reader.take(4);
  if (kind != "VP8 " && kind != "VP8L" && kind != "VP8X") {
    throw SampleError("broken_image: broken WebP: the first chunk is not a picture");
  }
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(bytes_of(encoded), encoded.size(), &features);
  if (status != VP8_STATUS_OK) throw SampleError(status_text(status) + " header");
  ImageHeader header;
  header.format = ImageFormat::Webp;
  header.color = features.has_alpha ? ImageColor::Rgba : ImageColor::Rgb;
  header.animated = features.has_animation != 0;
  set_size(header, static_cast<std::uint64_t>(features.width),
           static_cast<std::uint64_t>(features.height));
  return header;
}

/// As libwebp's WebPAnimDecoder, which Pillow uses, makes its first picture: the frame over a
/// black canvas, without blending.
RgbImage decode_webp(std::string_view encoded, const ImageHeader& header) {
  const WebPData data{bytes_of(encoded), encoded.size()};
  const Demuxer demuxer(WebPDemux(&data));
  if (!demuxer) throw SampleError("truncated_image: truncated or broken WebP container");
  const FirstFrame frame(demuxer.get());
  if (!frame.found()) throw SampleError("broken_image: broken WebP: it holds no picture");
  const bool same_canvas = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH) ==
                               static_cast<std::uint32_t>(header.width_px) &&
                           WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT) ==
                               static_cast<std::uint32_t>(header.height_px);
  if (!same_canvas || !fits(*frame, header)) {
    throw SampleError("broken_image: broken WebP: its headers disagree about the size");
  }

  RgbImage image = make_rgb(header);
  const std::size_t stride = std::size_t{3} * static_cast<std::size_t>(header.width_px);
  const std::size_t offset = stride * static_cast<std::size_t>((*frame).y_offset) +
                             std::size_t{3} * static_cast<std::size_t>((*frame).x_offset);
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0)
    throw SampleError("broken_image: libwebp has another version");
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = image.rgb.data() + offset;
  config.output.u.RGBA.stride = static_cast<int>(stride);
  config.output.u.RGBA.size = image.rgb.size() - offset;
  const VP8StatusCode status = WebPDecode((*frame).fragment.bytes, (*frame).fragment.size, &config);
  if (status != VP8_STATUS_OK) throw SampleError(status_text(status) + " picture");
  return image;
}

}  // namespace aitqe
