"""What is measured: the checkpoint, its export, and pairs whose prompts are of equal length."""

import sys
import tarfile

from tools import ROOT, run


def make_checkpoint(options):
    run([sys.executable, ROOT / "scripts/make_random_checkpoint.py", options.model, "--preset", options.preset])


def export(options):
    """The same weights for everybody else."""
    if not (options.exported / "model.safetensors").exists():
        run([options.binary, "convert", options.model, "--to", "llava", "-o", options.exported])


def equal_lengths(shard, tokenizer_file):
    """Keys of the shard, those of the commonest prompt length first: others can make batches without padding."""
    import tokenizers  # here, so that --help needs no packages
    sys.path.insert(0, str(ROOT / "scripts"))
    from reference_inputs import PROMPT_AFTER, PROMPT_BEFORE, samples
    tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer_file))
    groups = {}
    for key, _, caption in samples(shard):
        groups.setdefault(len(tokenizer.encode(PROMPT_BEFORE + caption + PROMPT_AFTER).ids), []).append(key)
    return [key for group in sorted(groups.values(), key=len, reverse=True) for key in group]


def write_shard(options):
    """The pairs that all programs get, as `options.shard`."""
    keys = equal_lengths(options.pairs, options.exported / "tokenizer.json")[:options.limit]
    with tarfile.open(options.pairs) as source, tarfile.open(options.shard, "w") as target:
        members = {member.name: member for member in source}
        for key in keys:
            for extension in ("jpg", "png", "webp", "txt"):
                member = members.get(f"{key}.{extension}")
                if member:
                    target.addfile(member, source.extractfile(member))


def prepare(options):
    make_checkpoint(options)
    export(options)
    write_shard(options)
