"""What the vision trunk of the default model makes of pictures. Used by the scripts that make and judge that model."""

import io
import pathlib
import tarfile

import numpy
import torch
from PIL import Image

import make_efficientnet_reference as efficientnet

IMAGE_SIDE = 224
IMAGES_TOGETHER = 32


def read_images(shards):
    """SHARD/KEY -> the picture's bytes."""
    for shard in shards:
        with tarfile.open(shard) as tar:
            for member in tar:
                stem, _, suffix = member.name.partition(".")
                if suffix == "jpg":
                    yield f"{pathlib.Path(shard).stem}/{stem}", tar.extractfile(member).read()


def pooled_features(images, tensors):
    """Key -> [1280]: the trunk's features, averaged over the picture.
    @param images  key -> bytes   @param tensors  `vision_model.*`, as make_efficientnet_reference.folded"""
    found = {}
    keys = list(images)
    for start in range(0, len(keys), IMAGES_TOGETHER):
        pixels = [numpy.asarray(Image.open(io.BytesIO(images[k])).convert("RGB")
                                .resize((IMAGE_SIDE, IMAGE_SIDE), Image.Resampling.BICUBIC), numpy.float32)
                  for k in keys[start:start + IMAGES_TOGETHER]]
        batch = torch.from_numpy((numpy.stack(pixels) - 127) / 128).permute(0, 3, 1, 2).contiguous()
        with torch.inference_mode():
            pooled = efficientnet.features(tensors, batch, efficientnet.STAGES, efficientnet.STEM).mean(1)
        found.update(zip(keys[start:start + IMAGES_TOGETHER], pooled))
    return found
