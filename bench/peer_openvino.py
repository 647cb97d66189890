#!/usr/bin/env python3
"""OpenVINO GenAI: a peer of scripts/bench (bench/peer_protocol.py).

One pair at a time its VLMPipeline, several with its ContinuousBatchingPipeline. Precision of products and KV cache is that
of --dtype; its default for the cache is 8 bits. GenAI has no resize that ignores the aspect, so images reach it as Pillow
resized them. Phases of one pair are those of its own performance metrics: what comes before the first token is told in
one. Of a batch what the model's steps take is told in one, prompts and tokens, for it mixes them.
Needs: pip install -r scripts/requirements-peer-openvino.txt
"""

import numpy
import openvino
import openvino_genai

import peer_protocol
from reference_inputs import PROMPT_AFTER, PROMPT_BEFORE, resized_image

CACHE_GB = 2
MOST_TOKENS_A_STEP = 4096
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


def properties(options):
    precision = PRECISION[options.dtype]
    return {"INFERENCE_PRECISION_HINT": precision, "KV_CACHE_PRECISION": precision,
            "INFERENCE_NUM_THREADS": options.threads, "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}


def generation_config(new_tokens):
    config = openvino_genai.GenerationConfig()
    config.max_new_tokens, config.ignore_eos, config.do_sample = new_tokens, True, False
    config.apply_chat_template = False
    return config


def prompt_of(pair):
    return "<image>" + PROMPT_BEFORE + pair.caption + PROMPT_AFTER  # it puts the first newline in


class Peer:
    def __init__(self, options):
        self.options = options
        self.side = options.config["vision_config"]["image_size"]
        self.load()

    def load(self):
        self.pipeline = openvino_genai.VLMPipeline(str(self.options.converted), "CPU", **properties(self.options))

    def image_of(self, pair):
        return openvino.Tensor(numpy.asarray(resized_image(pair.image, self.side))[None])

    def answer(self, new_tokens):
        clock, answers, prompt_tokens = peer_protocol.Clock(), [], 0
        generation = generation_config(new_tokens)
        for pair in peer_protocol.pairs_of(self.options):
            image = self.image_of(pair)
            clock.lap("prepare_s")
            ids = Ids()
            result = self.pipeline.generate(prompt_of(pair), images=[image], generation_config=generation, streamer=ids)
            first_s = result.perf_metrics.get_ttft().mean / 1e3
            clock.lap("decode_s")
            clock.sums["decode_s"] -= first_s
            clock.sums["to_first_token_s"] = clock.sums.get("to_first_token_s", 0.0) + first_s
            prompt_tokens += result.perf_metrics.get_num_input_tokens()
            answers.append({"key": pair.key, "ids": ids.ids})
        return clock, prompt_tokens, answers


class BatchingPeer(Peer):
    """All pairs are asked for at once, --batch of them run together."""

    def load(self):
        scheduler = openvino_genai.SchedulerConfig()
        scheduler.max_num_seqs, scheduler.max_num_batched_tokens = self.options.batch, MOST_TOKENS_A_STEP
        scheduler.cache_size, scheduler.enable_prefix_caching = CACHE_GB, False
        self.pipeline = openvino_genai.ContinuousBatchingPipeline(str(self.options.converted), scheduler, "CPU",
                                                                  properties(self.options))

    def answer(self, new_tokens):
        clock, handles = peer_protocol.Clock(), []
        generation = generation_config(new_tokens)
        pairs = peer_protocol.pairs_of(self.options)
        for number, pair in enumerate(pairs):
            image = self.image_of(pair)
            clock.lap("prepare_s")
            handles.append(self.pipeline.add_request(number, prompt_of(pair), [image], generation))
            clock.lap("images_s")
        while self.pipeline.has_non_finished_requests():
            self.pipeline.step()
        clock.lap("steps_s")
        answers = [{"key": pair.key, "ids": list(handle.read_all()[0].generated_ids)}
                   for pair, handle in zip(pairs, handles)]
        return clock, 0, answers


def main():
    options = peer_protocol.parse(__doc__.split("\n", 1)[0])
    peer = (Peer if options.batch == 1 else BatchingPeer)(options)
    peer_protocol.serve({"openvino-genai": openvino_genai.__version__}, peer.answer)


if __name__ == "__main__":
    main()
