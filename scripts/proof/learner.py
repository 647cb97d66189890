"""The small model that shows what captions are worth: trained from nothing on one arm of the pool, judged on clean pairs.

One image encoder, a text encoder that averages token vectors, and a recurrent writer of captions. Trained together: InfoNCE
between pictures and captions as CLIP does it, and the captions themselves, token by token. Every arm of a size takes the
same number of steps, whatever share of the pairs it kept. The test pairs are looked at once, after the last step.
"""

import json
import random

import arms
import numpy
import pool
import scores
import settings
import torch
from settings import ROOT
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import nn
from torch.nn import functional
from torch.nn.utils import rnn

WIDTH, STATE, TOKEN = 128, 256, 128
CHANNELS = (24, 48, 96, 192)
DROPOUT, WEIGHT_DECAY, CLIP_NORM = 0.1, 0.05, 1.0
START_TEMPERATURE = 0.07
PAD, BEGIN, END = range(3)


class Vocabulary:
    """Tokens of the training captions, in lower case; what they lack is left out of other texts."""

    def __init__(self, texts):
        folder = ROOT / "models/aitqe-small"
        self.tokenizer = Tokenizer(models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
        self.tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        self.tokenizer.decoder = decoders.ByteLevel()
        seen = sorted({token for text in texts for token in self._tokens(text)})
        self.to_ours = {token: i for i, token in enumerate(seen, END + 1)}
        self.to_theirs = {i: token for token, i in self.to_ours.items()}

    def __len__(self):
        return END + 1 + len(self.to_ours)

    def _tokens(self, text):
        return self.tokenizer.encode(text.lower(), add_special_tokens=False).ids[:settings.MOST_TOKENS]

    def encode(self, text):
        return [self.to_ours[token] for token in self._tokens(text) if token in self.to_ours]

    def decode(self, ids):
        return self.tokenizer.decode([self.to_theirs[i] for i in ids]).strip()


def padded(rows):
    """[B, T] with PAD behind; at least one column."""
    longest = max(1, *map(len, rows))
    return torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)

    def forward(self, x):
        return x + functional.relu(self.norm(self.conv(x)))


class PixelEncoder(nn.Sequential):
    """[B, 3, 64, 64] -> [B, STATE]. In bf16, which takes two thirds of the time of f32."""

    def __init__(self):
        layers, inputs = [], 3
        for channels in CHANNELS:
            layers += [nn.Conv2d(inputs, channels, 3, 2, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()]
            layers += [Residual(channels)] if channels != CHANNELS[0] else []
            inputs = channels
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, STATE), nn.GELU())
        self.to(memory_format=torch.channels_last)

    def forward(self, pixels):
        with torch.autocast(pixels.device.type, torch.bfloat16):
            return super().forward(pixels.contiguous(memory_format=torch.channels_last)).float()


def feature_encoder():
    """[B, 1280] -> [B, STATE]"""
    return nn.Sequential(nn.LayerNorm(1280), nn.Dropout(DROPOUT), nn.Linear(1280, STATE), nn.GELU())


class Learner(nn.Module):
    def __init__(self, image_encoder, num_tokens):
        super().__init__()
        self.image = image_encoder
        self.image_out = nn.Linear(STATE, WIDTH)
        self.tokens = nn.Embedding(num_tokens, TOKEN, padding_idx=PAD)
        self.text = nn.Sequential(nn.Linear(TOKEN, STATE), nn.GELU(), nn.Dropout(DROPOUT), nn.Linear(STATE, WIDTH))
        self.writer = nn.GRU(TOKEN, STATE, batch_first=True)
        self.word = nn.Linear(STATE, num_tokens)
        self.log_scale = nn.Parameter(torch.tensor(1 / START_TEMPERATURE).log())

    def text_vectors(self, ids):
        """[B, T] -> [B, WIDTH], of unit length"""
        mask = (ids != PAD).float().unsqueeze(-1)  # [B, T, 1]
        mean = (self.tokens(ids) * mask).sum(1) / mask.sum(1).clamp(min=1)
        return functional.normalize(self.text(mean), dim=1)

    def image_vectors(self, states):
        return functional.normalize(self.image_out(states), dim=1)

    def loss(self, images, ids):
        states = self.image(images)
        similarities = self.image_vectors(states) @ self.text_vectors(ids).T * self.log_scale.exp().clamp(max=100)
        own = torch.arange(len(ids), device=ids.device)
        matching = (functional.cross_entropy(similarities, own) + functional.cross_entropy(similarities.T, own)) / 2
        begin = torch.full((len(ids), 1), BEGIN, device=ids.device)
        given = torch.cat([begin, ids], 1)  # [B, T + 1]
        wanted = torch.cat([ids, torch.full_like(begin, PAD)], 1)
        lengths = (ids != PAD).sum(1)
        wanted.scatter_(1, lengths.unsqueeze(1), END)

        def packed(rows):  # most places of a batch are padding
            return rnn.pack_padded_sequence(rows, (lengths + 1).cpu(), batch_first=True, enforce_sorted=False)

        hidden, _ = self.writer(packed(self.tokens(given)), states.unsqueeze(0).contiguous())
        return matching + functional.cross_entropy(self.word(hidden.data), packed(wanted).data)

    @torch.inference_mode()
    def write(self, states):
        """The likeliest token each time. @return  a list of ids for each row"""
        hidden = states.unsqueeze(0).contiguous()
        token = torch.full((len(states), 1), BEGIN, device=states.device)
        written, ended = [[] for _ in range(len(states))], [False] * len(states)
        for _ in range(settings.MOST_TOKENS):
            out, hidden = self.writer(self.tokens(token), hidden)
            logits = self.word(out[:, -1])
            logits[:, [PAD, BEGIN]] = -torch.inf
            token = logits.argmax(1, keepdim=True)
            for i, one in enumerate(token[:, 0].tolist()):
                ended[i] = ended[i] or one == END
                if not ended[i]:
                    written[i].append(one)
        return written


class Pictures:
    """Pixels or features of pool and test pairs, as the encoder takes them."""

    def __init__(self, stored, learner, device):
        self.is_pixels = learner == "scratch"
        values = stored["pixels"] if self.is_pixels else stored["trunk"]
        self.values = torch.from_numpy(values).to(device)
        if self.is_pixels:
            self.values = self.values.permute(0, 3, 1, 2).contiguous()

    def take(self, indexes, shift=None):
        """@param shift  moves every picture a little differently"""
        values = self.values[torch.as_tensor(indexes, device=self.values.device)]
        if not self.is_pixels:
            return values
        values = (values.float() - 127) / 128
        return values if shift is None else shifted(values, shift)


def shifted(values, draw):
    """Each [3, S, S] moved by up to an eighth of its side, the edge repeated. None is mirrored: arrows point somewhere."""
    side = values.shape[-1]
    most = side // 8
    wide = functional.pad(values, (most,) * 4, mode="replicate")
    out = []
    for picture in wide:
        top, left = draw.randint(0, 2 * most), draw.randint(0, 2 * most)
        out.append(picture[:, top:top + side, left:left + side])
    return torch.stack(out)


def batches(num_pairs, num_steps, draw):
    """num_steps lists of places, every pair as often as any other."""
    queue = []
    for _ in range(num_steps):
        while len(queue) < min(settings.BATCH, num_pairs):
            order = list(range(num_pairs))
            draw.shuffle(order)
            queue += order
        size = min(settings.BATCH, num_pairs)
        yield queue[:size]
        queue = queue[size:]


def train(pairs, pictures, learner, size, seed, device):
    torch.manual_seed(seed)
    draw = random.Random(f"learner {seed}")
    vocabulary = Vocabulary([text for pair in pairs for text, _ in pair.captions])
    encoder = PixelEncoder() if learner == "scratch" else feature_encoder()
    model = Learner(encoder, len(vocabulary)).to(device)
    setting = settings.LEARNERS[learner]
    num_steps = setting["epochs"] * size // settings.BATCH
    optimizer = torch.optim.AdamW(model.parameters(), setting["rate"], weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, setting["rate"], total_steps=num_steps, pct_start=0.1)
    for places in batches(len(pairs), num_steps, draw):
        chosen = [pairs[place] for place in places]
        texts = [draw.choices(*zip(*pair.captions))[0] for pair in chosen]
        ids = padded([vocabulary.encode(text) for text in texts]).to(device)
        loss = model.loss(pictures.take([pair.index for pair in chosen], draw), ids)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimizer.step()
        schedule.step()
    return model.eval(), vocabulary, {"steps": num_steps, "last_loss": round(loss.item(), 4)}


@torch.inference_mode()
def judge(model, vocabulary, states, records, truth, encode):
    texts = padded([vocabulary.encode(record["truth"]) for record in records]).to(states.device)
    similarities = (model.image_vectors(states) @ model.text_vectors(texts).T).cpu().numpy()
    written = [vocabulary.decode(ids) for ids in model.write(states)]
    vectors = encode(written)
    references = [[record["truth"], *record["texts"]] for record in records]
    other = len(records) // 2
    return {
        "ranks_of_texts": scores.ranks(similarities).tolist(), "ranks_of_pictures": scores.ranks(similarities.T).tolist(),
        "cider": [round(float(x), 3) for x in scores.cider(references, written)],
        "similarity": [round(float(x), 3) for x in (vectors * truth).sum(1)],
        # The control: captions written for other pictures.
        "similarity_of_others": [round(float(x), 3) for x in (numpy.roll(vectors, other, 0) * truth).sum(1)],
        "different_captions": len(set(written)), "examples": [[r["truth"], w] for r, w in zip(records[:8], written)],
    }


def measure(work, device, learner, size, arm, seed):
    folder = pool.folder_of(work)
    records, test = pool.read_pool(work), pool.read_test(work)
    clip = json.loads((folder / "clip.json").read_text()) if arm == "best-by-clip" else None
    recaptioned = pool.rows_of(folder / "recaptioned") if arm == "recaptioned" else None
    pairs = arms.training_pairs(arm, arms.subset(len(records), size, seed), records, pool.rows_of(folder / "enhanced"),
                                clip, recaptioned)
    stored = numpy.load(folder / "features.npz")
    pictures = Pictures(stored, learner, device)
    model, vocabulary, story = train(pairs, pictures, learner, size, seed, device)
    with torch.inference_mode():
        states = model.image(pictures.take(range(len(records), len(records) + len(test))))
    noise = pool.noise_counts([records[p.index] for p in pairs])
    found = judge(model, vocabulary, states, test, stored["truth"], pool.minilm(work).encode)
    return {"pairs": len(pairs), "noise": noise, "tokens": len(vocabulary)} | story | found
