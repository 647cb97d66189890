"""The authors' model, put together from transformers' SiglipVisionModel and Qwen2ForCausalLM.

Batch 1, float32, eager attention, CPU. Shared by make_reference.py and make_tiny_model.py.
"""

import json

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import Qwen2Config, Qwen2ForCausalLM, SiglipVisionConfig, SiglipVisionModel

from reference_inputs import PROMPT_AFTER, PROMPT_BEFORE, pixel_values, prompt_ids  # noqa: F401  one name for all

STOP_TEXT = b"<Overall>"


def read_tensors(folder):
    index = folder / "model.safetensors.index.json"
    names = sorted(set(json.loads(index.read_text())["weight_map"].values())) if index.exists() else ["model.safetensors"]
    return {k: v for name in names for k, v in load_file(folder / name).items()}


def write_tensors(folder, tensors, num_files=1):
    """As Hugging Face writes them: whole tensors in order, files of about equal size, an index when there are several."""
    tensors = {name: t.contiguous() for name, t in tensors.items()}
    if num_files == 1:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return
    total = sum(t.nbytes for t in tensors.values())
    parts, done = [{} for _ in range(num_files)], 0
    for name, t in tensors.items():
        parts[min(done * num_files // total, num_files - 1)][name] = t
        done += t.nbytes
    weight_map = {}
    for i, part in enumerate(parts):
        file = f"model-{i + 1:05d}-of-{num_files:05d}.safetensors"
        save_file(part, folder / file, metadata={"format": "pt"})
        weight_map.update({name: file for name in part})
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


def preprocessor_config(size):
    """SigLIP's preprocessor_config.json."""
    return {"do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": [0.5, 0.5, 0.5],
            "image_processor_type": "SiglipImageProcessor", "image_std": [0.5, 0.5, 0.5], "resample": 3,
            "rescale_factor": 0.00392156862745098, "size": {"height": size, "width": size}}


def vision_config_of(folder, config):
    """The vision tower's config.json, in the subfolder named like the last part of its path."""
    name = config["vision_model_name_or_path"].rstrip("/").rsplit("/", 1)[-1]
    return json.loads((folder / name / "config.json").read_text())


def language_config(config):
    return Qwen2Config(
        vocab_size=config["vocab_size"], hidden_size=config["hidden_size"],
        intermediate_size=config["intermediate_size"], num_hidden_layers=config["num_hidden_layers"],
        num_attention_heads=config["num_attention_heads"], num_key_value_heads=config["num_key_value_heads"],
        hidden_act=config["hidden_act"], max_position_embeddings=config["max_position_embeddings"],
        rms_norm_eps=config["rms_norm_eps"], tie_word_embeddings=config["tie_word_embeddings"],
        rope_parameters={"rope_type": "default", "rope_theta": config["rope_theta"]},
        pad_token_id=None, bos_token_id=None, eos_token_id=None)


def vision_config(config):
    keys = ["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_channels",
            "image_size", "patch_size", "hidden_act", "layer_norm_eps", "attention_dropout"]
    return SiglipVisionConfig(**{k: config[k] for k in keys})


class ReferenceModel(nn.Module):
    def __init__(self, config, vision, attention="eager"):
        super().__init__()
        self.config = config
        self.language = Qwen2ForCausalLM._from_config(language_config(config), attn_implementation=attention)
        self.vision = SiglipVisionModel._from_config(vision_config(vision), attn_implementation=attention)
        hidden = config["hidden_size"]
        self.projector = nn.Sequential(nn.Linear(config["visual_hidden_dim"], hidden), nn.GELU(),
                                       nn.Linear(hidden, hidden, bias=False))
        self.image_newline = nn.Parameter(torch.randn(hidden) / hidden**0.5)
        self.image_size = vision["image_size"]
        self.drop_first_token = "siglip" not in config["vision_model_name_or_path"].lower()

    # Names in the authors' files.
    def tensors(self):
        named = {f"model.{k}": v for k, v in self.language.state_dict().items()}
        if self.config["tie_word_embeddings"]:
            named.pop("model.lm_head.weight", None)
        named.update({f"vision_model.vision_model.{k}": v for k, v in self.vision.state_dict().items()
                      if not k.endswith("position_ids")})
        named.update({f"mm_projector.{k}": v for k, v in self.projector.state_dict().items()})
        named["image_newline"] = self.image_newline.data
        return named

    def load_tensors(self, tensors):
        """Strict: every tensor of the model must be there, and no other."""
        tensors = {k: v.to(torch.float32) for k, v in tensors.items()}
        own = set(self.tensors())
        assert own == set(tensors), own ^ set(tensors)
        language = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
        if self.config["tie_word_embeddings"]:
            language["lm_head.weight"] = language["model.embed_tokens.weight"]
        self.language.load_state_dict(language)
        prefix = "vision_model.vision_model."
        self.vision.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
        self.projector.load_state_dict({k.removeprefix("mm_projector."): v for k, v in tensors.items()
                                        if k.startswith("mm_projector.")})
        self.image_newline.data = tensors["image_newline"]

    @classmethod
    def load(cls, folder, attention="eager"):
        config = json.loads((folder / "config.json").read_text())
        model = cls(config, vision_config_of(folder, config), attention)
        model.load_tensors(read_tensors(folder))
        return model.eval()

    def vision_features(self, pixels):
        """[B, 3, S, S] -> [B, P, vision_dim]: all layers but the last, no post LayerNorm, no head."""
        states = self.vision(pixel_values=pixels, output_hidden_states=True).hidden_states[-2]
        return states[:, 1:] if self.drop_first_token else states

    def embed(self, image_tokens, text_ids):
        """[P, hidden] and the text's ids -> [1, P + T, hidden]."""
        text = self.language.model.embed_tokens(torch.tensor([text_ids], dtype=torch.long))
        return torch.cat([image_tokens[None], text], dim=1)


def end_ids(folder, config):
    """EOS of generation_config.json, else of config.json; 2 is the authors' default."""
    path = folder / "generation_config.json"
    value = json.loads(path.read_text()).get("eos_token_id") if path.exists() else None
    if value is None:
        value = config.get("eos_token_id", 2)
    return set(value) if isinstance(value, list) else {value}
