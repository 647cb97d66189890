#!/usr/bin/env python3
"""OpenVINO GenAI's VLMPipeline: a peer of scripts/bench (bench/peer_protocol.py).

Precision of products and KV cache is that of --dtype; its default for the cache is 8 bits. GenAI has no resize that
ignores the aspect, so images reach it as Pillow resized them. Phases are those of its own performance metrics: what
comes before the first token is told in one. Needs: pip install -r scripts/requirements-peer-openvino.txt
"""

import numpy
import openvino
import openvino_genai

import peer_protocol
from reference_inputs import PROMPT_AFTER, PROMPT_BEFORE, resized_image

PRECISION = {"f32": openvino.Type.f32, "bf16": openvino.Type.bf16}


class Ids(openvino_genai.StreamerBase):
    """The tokens themselves: the pipeline's result is text."""

    def __init__(self):
        super().__init__()
        self.ids = []

    def write(self, token):
        self.ids.extend(token if isinstance(token, list) else [token])
        return openvino_genai.StreamingStatus.RUNNING

    def end(self):
        pass


class Peer:
    def __init__(self, options):
        self.options = options
        precision = PRECISION[options.dtype]
        self.pipeline = openvino_genai.VLMPipeline(
            str(options.converted), "CPU", INFERENCE_PRECISION_HINT=precision, KV_CACHE_PRECISION=precision,
            INFERENCE_NUM_THREADS=options.threads, DYNAMIC_QUANTIZATION_GROUP_SIZE=0)
        self.side = options.config["vision_config"]["image_size"]

    def generation(self, new_tokens):
        config = openvino_genai.GenerationConfig()
        config.max_new_tokens, config.ignore_eos, config.do_sample = new_tokens, True, False
        config.apply_chat_template = False
        return config

    def answer(self, new_tokens):
        clock, answers, prompt_tokens = peer_protocol.Clock(), [], 0
        generation = self.generation(new_tokens)
        for pair in peer_protocol.pairs_of(self.options):
            image = openvino.Tensor(numpy.asarray(resized_image(pair.image, self.side))[None])
            clock.lap("prepare_s")
            ids = Ids()
            prompt = "<image>" + PROMPT_BEFORE + pair.caption + PROMPT_AFTER  # it puts the first newline in
            result = self.pipeline.generate(prompt, images=[image], generation_config=generation, streamer=ids)
            first_s = result.perf_metrics.get_ttft().mean / 1e3
            clock.lap("decode_s")
            clock.sums["decode_s"] -= first_s
            clock.sums["to_first_token_s"] = clock.sums.get("to_first_token_s", 0.0) + first_s
            prompt_tokens += result.perf_metrics.get_num_input_tokens()
            answers.append({"key": pair.key, "ids": ids.ids})
        return clock, prompt_tokens, answers


def main():
    options = peer_protocol.parse(__doc__.split("\n", 1)[0])
    peer = Peer(options)
    peer_protocol.serve({"openvino-genai": openvino_genai.__version__}, peer.answer)


if __name__ == "__main__":
    main()
