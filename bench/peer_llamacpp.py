#!/usr/bin/env python3
"""llama.cpp with mtmd, through llama-cpp-python's bindings: a peer of scripts/bench (bench/peer_protocol.py).

libmtmd encodes an image, libllama reads it and the text, then goes on greedily: --batch sequences are decoded at once.
Its resize is not Pillow's, so images reach it as Pillow resized them; it is given token ids. KV cache: f32 in f32, its
default, f16, in bf16. Its projector has the tanh approximation of GELU where the model has the exact one, so that ids
may differ in f32 too. Needs: pip install -r scripts/requirements-peer-llamacpp.txt
"""

import ctypes
import sys

import llama_cpp
import numpy
from llama_cpp import llama_cpp as llama
from llama_cpp import mtmd_cpp as mtmd

import peer_protocol
from reference_inputs import resized_image

GGML_TYPE_F32, GGML_TYPE_F16 = 0, 1
MARKER = b"<__media__>"
LONGEST = 512  # tokens of a prompt and its answer
# What is told goes to standard error only when it is an error; standard output is the protocol's.
LOG_LEVEL_ERROR = 4


@llama.llama_log_callback
def log(level, text, _):
    if level >= LOG_LEVEL_ERROR:
        sys.stderr.write(text.decode(errors="replace"))


def require(value, what):
    if not value:
        raise SystemExit(f"llama.cpp: {what}")
    return value


class Batch:
    """Tokens or embeddings of sequences, as llama_decode takes them."""

    def __init__(self, capacity, embedding_size=0):
        self.batch = llama.llama_batch_init(capacity, embedding_size, 1)
        self.embedding_size = embedding_size

    def place(self, at, position, sequence, wants_logits):
        self.batch.pos[at], self.batch.n_seq_id[at], self.batch.seq_id[at][0] = position, 1, sequence
        self.batch.logits[at] = wants_logits

    def fill_embeddings(self, values, sequence):
        self.batch.n_tokens = len(values)
        ctypes.memmove(self.batch.embd, values.ctypes.data, values.nbytes)
        for at in range(len(values)):
            self.place(at, at, sequence, False)
        return self.batch

    def fill_text(self, ids, first_position, sequence):
        self.batch.n_tokens = len(ids)
        for at, id in enumerate(ids):
            self.batch.token[at] = id
            self.place(at, first_position + at, sequence, at + 1 == len(ids))
        return self.batch

    def fill_step(self, ids, positions):
        self.batch.n_tokens = len(ids)
        for sequence, (id, position) in enumerate(zip(ids, positions)):
            self.batch.token[sequence] = id
            self.place(sequence, position, sequence, True)
        return self.batch


class Peer:
    def __init__(self, options):
        llama.llama_log_set(log, None)
        mtmd.mtmd_log_set(log, None)
        llama.llama_backend_init()
        self.options = options
        self.side = options.config["vision_config"]["image_size"]
        self.vocab = options.config["text_config"]["vocab_size"]
        self.hidden = options.config["text_config"]["hidden_size"]
        self.image_tokens = options.config["image_seq_length"]
        self.text_ids = peer_protocol.TextIds(options.model)
        self.model = require(llama.llama_model_load_from_file(str(options.converted / "language.gguf").encode(),
                                                              llama.llama_model_default_params()), "no language model")
        self.context = self.make_context()
        self.vision = self.make_vision()
        self.image_batch, self.text_batch = Batch(self.image_tokens, self.hidden), Batch(LONGEST)

    def make_context(self):
        params = llama.llama_context_default_params()
        params.n_ctx = LONGEST * self.options.batch
        params.n_batch = params.n_ubatch = LONGEST
        params.n_seq_max = self.options.batch
        params.n_threads = params.n_threads_batch = self.options.threads
        params.type_k = params.type_v = GGML_TYPE_F32 if self.options.dtype == "f32" else GGML_TYPE_F16
        return require(llama.llama_init_from_model(self.model, params), "no context")

    def make_vision(self):
        params = mtmd.mtmd_context_params_default()
        params.use_gpu, params.print_timings, params.warmup = False, False, False
        params.n_threads, params.media_marker = self.options.threads, MARKER
        file = str(self.options.converted / "vision.gguf").encode()
        return require(mtmd.mtmd_init_from_file(file, self.model, params), "no vision tower")

    def encode(self, pixels):
        """[S, S, 3] u8 -> [P, hidden] f32"""
        data = numpy.ascontiguousarray(pixels)
        bitmap = mtmd.mtmd_bitmap_init(self.side, self.side, data.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8)))
        chunks = mtmd.mtmd_input_chunks_init()
        text = mtmd.mtmd_input_text(MARKER, len(MARKER), False, True)
        status = mtmd.mtmd_tokenize(self.vision, chunks, ctypes.byref(text),
                                    (mtmd.mtmd_bitmap_p_ctypes * 1)(bitmap), 1)
        require(status == 0, f"mtmd_tokenize gave {status}")
        every = [mtmd.mtmd_input_chunks_get(chunks, i) for i in range(mtmd.mtmd_input_chunks_size(chunks))]
        images = [c for c in every if mtmd.mtmd_input_chunk_get_type(c) == mtmd.MTMD_INPUT_CHUNK_TYPE_IMAGE]
        found = mtmd.mtmd_input_chunk_get_n_tokens(images[0])
        require(found == self.image_tokens, f"{found} image tokens, expected {self.image_tokens}")
        require(mtmd.mtmd_encode_chunk(self.vision, images[0]) == 0, "mtmd_encode_chunk failed")
        out = numpy.ctypeslib.as_array(mtmd.mtmd_get_output_embd(self.vision), (self.image_tokens, self.hidden)).copy()
        mtmd.mtmd_input_chunks_free(chunks)
        mtmd.mtmd_bitmap_free(bitmap)
        return out

    def decode(self, batch):
        status = llama.llama_decode(self.context, batch)
        require(status == 0, f"llama_decode gave {status}")

    def best(self, at):
        """(id, by how much it beat the second best)"""
        logits = numpy.ctypeslib.as_array(llama.llama_get_logits_ith(self.context, at), (self.vocab,))
        second, first = numpy.argpartition(logits, -2)[-2:]
        if logits[second] > logits[first]:
            second, first = first, second
        return int(first), float(logits[first] - logits[second])

    def answer_together(self, batch, texts, new_tokens, clock):
        """One dict a pair. Prompts are read one after the other, tokens written together."""
        llama.llama_memory_clear(llama.llama_get_memory(self.context), True)
        answers = []
        for sequence, pair in enumerate(batch):
            pixels = numpy.asarray(resized_image(pair.image, self.side))
            clock.lap("prepare_s")
            image = self.encode(pixels)
            clock.lap("vision_s")
            self.decode(self.image_batch.fill_embeddings(image, sequence))
            self.decode(self.text_batch.fill_text(texts[pair.key], self.image_tokens, sequence))
            id, margin = self.best(-1)
            answers.append({"key": pair.key, "ids": [id], "margins": [margin]})
            clock.lap("prefill_s")
        for step in range(new_tokens - 1):
            positions = [self.image_tokens + len(texts[pair.key]) + step for pair in batch]
            self.decode(self.text_batch.fill_step([answer["ids"][-1] for answer in answers], positions))
            for sequence, answer in enumerate(answers):
                id, margin = self.best(sequence)
                answer["ids"].append(id)
                answer["margins"].append(margin)
        clock.lap("decode_s")
        return answers

    def answer(self, new_tokens):
        clock, answers = peer_protocol.Clock(), []
        pairs = peer_protocol.pairs_of(self.options)
        texts = {pair.key: self.text_ids.of(pair.caption) for pair in pairs}
        clock.lap("prepare_s")
        for start in range(0, len(pairs), self.options.batch):
            answers += self.answer_together(pairs[start:start + self.options.batch], texts, new_tokens, clock)
        return clock, sum(len(text) + self.image_tokens for text in texts.values()), answers


def main():
    options = peer_protocol.parse(__doc__.split("\n", 1)[0])
    peer = Peer(options)
    peer_protocol.serve({"llama-cpp-python": llama_cpp.__version__}, peer.answer)


if __name__ == "__main__":
    main()
