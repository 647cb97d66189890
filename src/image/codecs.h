#pragma once

#include <cstdint>
#include <string_view>

#include "aitqe/image/decode.h"
#include "aitqe/image/header.h"

// One reader and one decoder per format; header.cpp and decode.cpp choose among them.
// Decoders may assume that `header` came from `encoded` and is within the limits, and must not
// trust `encoded` to say the same thing twice.
namespace aitqe {

ImageHeader read_jpeg_header(std::string_view encoded);
ImageHeader read_png_header(std::string_view encoded);
ImageHeader read_webp_header(std::string_view encoded);
ImageHeader read_gif_header(std::string_view encoded);
ImageHeader read_bmp_header(std::string_view encoded);

RgbImage decode_jpeg(std::string_view encoded, const ImageHeader& header);
RgbImage decode_png(std::string_view encoded, const ImageHeader& header);
RgbImage decode_webp(std::string_view encoded, const ImageHeader& header);
RgbImage decode_gif(std::string_view encoded, const ImageHeader& header);
RgbImage decode_bmp(std::string_view encoded, const ImageHeader& header);

/// A black image of the header's size.
RgbImage make_rgb(const ImageHeader& header);

/// `width` and `height` as the header's dimensions.
/// @throws SampleError when one is zero or does not fit an int.
void set_size(ImageHeader& header, std::uint64_t width, std::uint64_t height);

}  // namespace aitqe
