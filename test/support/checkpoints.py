"""Writes checkpoints of a small random Qwen3 with the real libraries: Megatron's own model and dist_checkpointing,
torch's DCP, safetensors.

Tests run `checkpoints.py JOBS`. JOBS is a JSON list of jobs, each a list of a function's name and its arguments.
Megatron takes seconds to import, so its ranks are forks of this process.
"""

import argparse
import json
import os
import sys
import types
import warnings

warnings.filterwarnings("ignore")

import torch  # noqa: E402
import torch.distributed as dist  # noqa: E402
import torch.distributed.checkpoint as dcp  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402


def make_hf(shape, out):
    """Writes random tensors under Hugging Face's names, in shards."""
    torch.manual_seed(7)
    h, f, d = shape["hidden"], shape["ffn"], shape["headDim"]
    q, kv = shape["heads"] * d, shape["kvGroups"] * d

    def new(*size):
        return torch.randn(*size).to(torch.bfloat16)

    tensors = {"model.embed_tokens.weight": new(shape["vocab"], h), "model.norm.weight": new(h)}
    for n in range(shape["layers"]):
        p = f"model.layers.{n}."
        tensors |= {
            p + "input_layernorm.weight": new(h),
            p + "post_attention_layernorm.weight": new(h),
            p + "self_attn.q_proj.weight": new(q, h),
            p + "self_attn.k_proj.weight": new(kv, h),
            p + "self_attn.v_proj.weight": new(kv, h),
            p + "self_attn.q_norm.weight": new(d),
            p + "self_attn.k_norm.weight": new(d),
            p + "self_attn.o_proj.weight": new(h, q),
            p + "mlp.gate_proj.weight": new(f, h),
            p + "mlp.up_proj.weight": new(f, h),
            p + "mlp.down_proj.weight": new(h, f),
        }
    if not shape["tied"]:
        tensors["lm_head.weight"] = new(shape["vocab"], h)
    os.makedirs(out)
    names = sorted(tensors)
    halves = [names[::2], names[1::2]]
    weight_map = {}
    for i, part in enumerate(halves):
        name = f"model-{i + 1:05d}-of-00002.safetensors"
        save_file({k: tensors[k] for k in part}, os.path.join(out, name), metadata={"format": "pt"})
        weight_map |= dict.fromkeys(part, name)
    with open(os.path.join(out, "model.safetensors.index.json"), "w") as file:
        json.dump({"metadata": {}, "weight_map": weight_map}, file)
    config = {
        "model_type": "qwen3", "num_hidden_layers": shape["layers"], "hidden_size": h, "intermediate_size": f,
        "num_attention_heads": shape["heads"], "num_key_value_heads": shape["kvGroups"], "head_dim": d,
        "vocab_size": shape["vocab"], "rope_theta": shape["ropeBase"], "tie_word_embeddings": shape["tied"],
    }
    with open(os.path.join(out, "config.json"), "w") as file:
        json.dump(config, file)


def make_experts(shape, out):
    """Creates and saves a random Qwen3-MoE with transformers."""
    from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM

    torch.manual_seed(7)
    experts = shape["experts"]
    config = Qwen3MoeConfig(
        num_hidden_layers=shape["layers"], hidden_size=shape["hidden"], intermediate_size=shape["ffn"],
        num_attention_heads=shape["heads"], num_key_value_heads=shape["kvGroups"], head_dim=shape["headDim"],
        vocab_size=shape["vocab"], rope_theta=shape["ropeBase"], tie_word_embeddings=shape["tied"],
        num_experts=experts["count"], num_experts_per_tok=experts["active"], moe_intermediate_size=experts["ffn"],
    )
    model = Qwen3MoeForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    model.to(torch.bfloat16).save_pretrained(out, max_shard_size="40KB")


def read_hf(path):
    tensors = {}
    for name in sorted(os.listdir(path)):
        if name.endswith(".safetensors"):
            tensors |= load_file(os.path.join(path, name))
    return tensors


def fused(shape, hf):
    """Returns whole matrices of a layer under Megatron's names, with plain loops that are independent of the reader."""
    d, per = shape["headDim"], shape["heads"] // shape["kvGroups"]
    whole = {
        "embedding.word_embeddings.weight": hf["model.embed_tokens.weight"],
        "decoder.final_layernorm.weight": hf["model.norm.weight"],
    }
    if not shape["tied"]:
        whole["output_layer.weight"] = hf["lm_head.weight"]
    for n in range(shape["layers"]):
        p, to = f"model.layers.{n}.", f"decoder.layers.{n}."
        q, k, v = (hf[p + f"self_attn.{x}_proj.weight"] for x in "qkv")
        heads = []
        for group in range(shape["kvGroups"]):
            for head in range(per):
                start = (group * per + head) * d
                heads.append(q[start : start + d])
            heads.append(k[group * d : (group + 1) * d])
            heads.append(v[group * d : (group + 1) * d])
        whole[to + "self_attention.linear_qkv.weight"] = torch.cat(heads)
        if "experts" in shape:
            whole |= fused_experts(shape, hf, p, to)
        else:
            halves = [hf[p + f"mlp.{half}_proj.weight"] for half in ("gate", "up")]
            whole[to + "mlp.linear_fc1.weight"] = torch.cat(halves)
            whole[to + "mlp.linear_fc2.weight"] = hf[p + "mlp.down_proj.weight"]
        for key, name in {
            "self_attention.linear_qkv.layer_norm_weight": "input_layernorm",
            "self_attention.q_layernorm.weight": "self_attn.q_norm",
            "self_attention.k_layernorm.weight": "self_attn.k_norm",
            "self_attention.linear_proj.weight": "self_attn.o_proj",
            "mlp.linear_fc1.layer_norm_weight": "post_attention_layernorm",
        }.items():
            whole[to + key] = hf[p + name + ".weight"]
    return whole


def fused_experts(shape, hf, p, to):
    whole = {to + "mlp.router.weight": hf[p + "mlp.gate.weight"]}
    for expert in range(shape["experts"]["count"]):
        one, there = f"{p}mlp.experts.{expert}.", f"{to}mlp.experts.{expert}."
        halves = [hf[one + f"{half}_proj.weight"] for half in ("gate", "up")]
        whole[there + "linear_fc1.weight"] = torch.cat(halves)
        whole[there + "linear_fc2.weight"] = hf[one + "down_proj.weight"]
    return whole


def namespace(shape):
    experts = shape.get("experts", {"count": None, "active": 2, "ffn": None})
    return argparse.Namespace(
        num_experts=experts["count"], moe_router_topk=experts["active"], moe_ffn_hidden_size=experts["ffn"],
        num_layers=shape["layers"], hidden_size=shape["hidden"], ffn_hidden_size=shape["ffn"],
        num_attention_heads=shape["heads"], num_query_groups=shape["kvGroups"], kv_channels=shape["headDim"],
        vocab_size=shape["vocab"], rotary_base=shape["ropeBase"], params_dtype=torch.bfloat16,
        untie_embeddings_and_output_weights=not shape["tied"], q_lora_rank=None,
    )


def without_gpu():
    """Replaces functions of the GPU that Megatron calls even if its tensors are on the CPU."""
    memory = types.SimpleNamespace(rss=0, vms=0, uss=0)
    psutil = types.ModuleType("psutil")
    psutil.Process = lambda *_: types.SimpleNamespace(memory_info=lambda: memory, memory_full_info=lambda: memory)
    sys.modules.setdefault("psutil", psutil)
    torch.cuda.synchronize = lambda *_, **__: None
    torch.cuda.current_device = lambda: "cpu"
    torch.Tensor.cuda = lambda self, *_, **__: self


def run_megatron(rank, tp, pp, ep, shape, hf_dir, out):
    world = tp * pp * ep
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(world))
    store = dist.FileStore(out + ".store", world)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=world)
    from megatron.core import dist_checkpointing
    from megatron.core import parallel_state as ranks
    from megatron.core.models.gpt.gpt_layer_specs import get_gpt_layer_local_spec
    from megatron.core.models.gpt.gpt_model import GPTModel
    from megatron.core.transformer.transformer_config import TransformerConfig

    ranks.initialize_model_parallel(
        tensor_model_parallel_size=tp, pipeline_model_parallel_size=pp, expert_model_parallel_size=ep
    )
    block = 128 * tp
    vocab = -(-shape["vocab"] // block) * block
    config = TransformerConfig(
        num_layers=shape["layers"], hidden_size=shape["hidden"], ffn_hidden_size=shape["ffn"],
        num_attention_heads=shape["heads"], num_query_groups=shape["kvGroups"], kv_channels=shape["headDim"],
        use_cpu_initialization=True, bf16=True, params_dtype=torch.bfloat16, pipeline_dtype=torch.bfloat16,
        normalization="RMSNorm", gated_linear_unit=True, activation_func=torch.nn.functional.silu,
        add_bias_linear=False, qk_layernorm=True, tensor_model_parallel_size=tp, pipeline_model_parallel_size=pp,
        **experts_of(shape, ep),
    )
    count = shape["experts"]["count"] if "experts" in shape else None
    spec = get_gpt_layer_local_spec(num_experts=count, qk_layernorm=True, normalization="RMSNorm")
    if count is not None:
        # As in the layer specification of Transformer Engine, which slime uses.
        del spec.submodules.sharded_state_dict_keys_map["pre_mlp_layernorm."]
    model = GPTModel(
        config, spec, vocab_size=vocab,
        max_sequence_length=32, pre_process=ranks.is_pipeline_first_stage(),
        post_process=ranks.is_pipeline_last_stage(), position_embedding_type="rope",
        share_embeddings_and_output_weights=shape["tied"],
    ).bfloat16()
    ahead = ranks.get_expert_model_parallel_rank() * (count or 0) // ep
    whole = fused(shape, read_hf(hf_dir))
    fill(model, whole, rank=ranks.get_tensor_model_parallel_rank(), tp=tp, vocab=vocab, ahead=ahead)
    state = dict(model.sharded_state_dict())
    state |= {"args": namespace(shape), "checkpoint_version": 3.0, "iteration": 1}
    release = os.path.join(out, "release")
    os.makedirs(release, exist_ok=True)
    dist_checkpointing.save(state, release)
    if rank == 0:
        with open(os.path.join(out, "latest_checkpointed_iteration.txt"), "w") as file:
            file.write("release")
    dist.barrier()


def experts_of(shape, ep):
    if "experts" not in shape:
        return {}
    experts = shape["experts"]
    return {
        "num_moe_experts": experts["count"], "moe_router_topk": experts["active"],
        "moe_ffn_hidden_size": experts["ffn"], "expert_model_parallel_size": ep,
    }


def fill(model, whole, rank, tp, vocab, ahead=0):
    """Copies a rank's part of each whole matrix into the model; the model itself tells which part that is.

    ``ahead``: the number of experts on the ranks before this one.
    """
    first = model.decoder.layers[0].layer_number - 1
    local = {"input_layernorm.weight": "self_attention.linear_qkv.layer_norm_weight",
             "pre_mlp_layernorm.weight": "mlp.linear_fc1.layer_norm_weight"}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            key = name
            if name.startswith("decoder.layers."):
                _, _, number, rest = name.split(".", 3)
                if ".local_experts." in rest:
                    _, _, _, expert, rest = rest.split(".", 4)
                    rest = f"mlp.experts.{int(expert) + ahead}.{rest}"
                key = f"decoder.layers.{int(number) + first}.{local.get(rest, rest)}"
            # The last stage has a copy of the tied embedding under the output layer's name.
            tensor = whole.get(key, whole["embedding.word_embeddings.weight"] if "output_layer" in key else None)
            if key in ("embedding.word_embeddings.weight", "output_layer.weight"):
                tensor = torch.nn.functional.pad(tensor, (0, 0, 0, vocab - tensor.shape[0]))
            if getattr(parameter, "tensor_model_parallel", False) and tp > 1:
                if "linear_fc1" in key:
                    tensor = torch.cat([half.chunk(tp)[rank] for half in tensor.chunk(2)])
                else:
                    tensor = tensor.chunk(tp, dim=parameter.partition_dim)[rank]
            assert tensor.shape == parameter.shape, (name, tensor.shape, parameter.shape)
            parameter.copy_(tensor)


def megatron(shape, hf_dir, out, tp, pp, ep=1):
    import torch.multiprocessing as mp

    torch.set_num_threads(1)
    without_gpu()
    import megatron.core.dist_checkpointing  # noqa: F401
    import megatron.core.models.gpt.gpt_layer_specs  # noqa: F401
    import megatron.core.models.gpt.gpt_model  # noqa: F401

    mp.start_processes(run_megatron, (tp, pp, ep, shape, hf_dir, out), nprocs=tp * pp * ep, start_method="fork")


def plain(shape, hf_dir, out, dtype="bfloat16", numbered=False, iteration="release"):
    """Writes a checkpoint only with torch's DCP: whole stacks in one chunk, or one tensor per layer."""
    whole = {key: value.to(getattr(torch, dtype)) for key, value in fused(shape, read_hf(hf_dir)).items()}
    state = {k: v for k, v in whole.items() if not k.startswith("decoder.layers.")}
    layers = sorted({k.split(".", 3)[3] for k in whole if k.startswith("decoder.layers.")})
    for rest in layers:
        parts = [whole[f"decoder.layers.{n}.{rest}"] for n in range(shape["layers"])]
        if numbered:
            state |= {f"decoder.layers.{n}.{rest}": part for n, part in enumerate(parts)}
        else:
            state[f"decoder.layers.{rest}"] = torch.stack(parts)
    state["decoder.layers.mlp.linear_fc2._extra_state/shard_0_1"] = b"state"
    state["optimizer.state.exp_avg.decoder.final_layernorm.weight"] = torch.zeros(3)
    directory = os.path.join(out, iteration)
    dcp.save(state, checkpoint_id=directory, no_dist=True)
    torch.save({"args": namespace(shape), "iteration": 1, "rng_state": [torch.get_rng_state()]},
               os.path.join(directory, "common.pt"))
    with open(os.path.join(directory, "metadata.json"), "w") as file:
        json.dump({"sharded_backend": "torch_dist", "sharded_backend_version": 1,
                   "common_backend": "torch", "common_backend_version": 1}, file)
    with open(os.path.join(out, "latest_checkpointed_iteration.txt"), "w") as file:
        file.write(iteration.removeprefix("iter_").lstrip("0") or "0")


if __name__ == "__main__":
    for name, *arguments in json.loads(sys.argv[1]):
        {"make_hf": make_hf, "make_experts": make_experts, "megatron": megatron, "plain": plain}[name](*arguments)
