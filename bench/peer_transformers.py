#!/usr/bin/env python3
"""transformers' LlavaForConditionalGeneration: a peer of scripts/bench (bench/peer_protocol.py).

SDPA attention, logits of the last position only, KV cache, greedy; no generate(), whose own work would count against
it. Pairs of a batch have prompts of equal length, so that nothing is padded or masked. Needs:
pip install -r scripts/requirements-oracle.txt
"""

import torch
import transformers
from transformers import LlavaForConditionalGeneration

import peer_protocol
from reference_inputs import pixel_values


class Peer:
    def __init__(self, options):
        self.options = options
        self.dtype = torch.float32 if options.dtype == "f32" else torch.bfloat16
        self.model = LlavaForConditionalGeneration.from_pretrained(options.model, dtype=self.dtype,
                                                                   attn_implementation="sdpa").eval()
        self.text_ids = peer_protocol.TextIds(options.model)
        self.side = options.config["vision_config"]["image_size"]

    def generate(self, embeds, new_tokens, clock):
        """Greedy ids, and by how much each beat the second best: a row a pair."""
        ids, margins, cache, inputs = [], [], None, {"inputs_embeds": embeds}
        for step in range(new_tokens):
            out = self.model(**inputs, past_key_values=cache, use_cache=True, logits_to_keep=1)
            top = torch.topk(out.logits[:, -1].float(), 2)
            ids.append(top.indices[:, :1])
            margins.append(top.values[:, 0] - top.values[:, 1])
            cache, inputs = out.past_key_values, {"input_ids": ids[-1]}
            clock.lap("prefill_s" if step == 0 else "decode_s")
        return torch.cat(ids, 1).tolist(), torch.stack(margins, 1).tolist()

    @torch.inference_mode()
    def answer(self, new_tokens):
        clock, answers, prompt_tokens = peer_protocol.Clock(), [], 0
        pairs = peer_protocol.pairs_of(self.options)
        texts = {pair.key: self.text_ids.of(pair.caption) for pair in pairs}
        for batch in peer_protocol.batches_of(pairs, self.options.batch, lambda pair: len(texts[pair.key])):
            pixels = torch.stack([torch.from_numpy(pixel_values(p.image, self.side)) for p in batch]).to(self.dtype)
            text = torch.tensor([texts[pair.key] for pair in batch])
            clock.lap("prepare_s")
            images = torch.stack(list(self.model.get_image_features(pixel_values=pixels).pooler_output))
            clock.lap("vision_s")
            embeds = torch.cat([images, self.model.get_input_embeddings()(text)], dim=1)
            prompt_tokens += embeds.shape[0] * embeds.shape[1]
            for pair, ids, margins in zip(batch, *self.generate(embeds, new_tokens, clock)):
                answers.append({"key": pair.key, "ids": ids, "margins": margins})
        return clock, prompt_tokens, answers


def main():
    options = peer_protocol.parse(__doc__.split("\n", 1)[0])
    torch.set_num_threads(options.threads)
    peer = Peer(options)
    peer_protocol.serve({"torch": torch.__version__, "transformers": transformers.__version__}, peer.answer)


if __name__ == "__main__":
    main()
