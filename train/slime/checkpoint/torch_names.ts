/**
 * Which classes and functions the pickles of a checkpoint may name.
 *
 * Nothing of them is run here. The lists are for who loads the checkpoint in Python afterwards, with
 * `weights_only=False` as slime's tools do: a file that names `os.system` is no checkpoint.
 */

import { torchDtype } from "./dtype.ts";

const PLAIN = [
  /^argparse\.Namespace$/,
  /^collections\.(OrderedDict|defaultdict|deque)$/,
  /^_codecs\.encode$/,
  /^(copyreg|copy_reg)\._reconstructor$/,
  /^pathlib(\._local)?\.((Pure)?(Posix)?|Windows)Path$/,
  /^(builtins|__builtin__)\.(bool|bytearray|bytes|complex|dict|float|frozenset|int|list)$/,
  /^(builtins|__builtin__)\.(object|range|set|slice|str|tuple)$/,
];

/** What a saved tensor names, storages and dtypes aside. */
const TENSOR = [
  /^collections\.OrderedDict$/,
  /^torch\._utils\._rebuild_(tensor_v2|tensor|parameter)$/,
  /^torch\.Size$/,
  /^torch\.storage\.(Untyped|Typed)Storage$/,
];

/** What `.metadata` names besides, Megatron's own plans included, which it keeps there. */
const METADATA = [
  ...PLAIN,
  /^torch\.(Size|strided|contiguous_format|preserve_format)$/,
  /^torch\.serialization\._get_layout$/,
  /^torch\.distributed\._shard\.sharded_tensor\.metadata\.(TensorProperties|MEM_FORMAT_ENCODING)$/,
  /^torch\.distributed\.checkpoint\.filesystem\._StorageInfo$/,
  /^torch\.distributed\.checkpoint\.metadata\.(Bytes|Chunk|Tensor)StorageMetadata$/,
  /^torch\.distributed\.checkpoint\.metadata\.(Metadata|MetadataIndex|StorageMeta|TensorProperties|_MEM_FORMAT_ENCODING)$/,
  /^torch\.distributed\.checkpoint\.planner\.((BytesIO|Tensor)WriteData|SavePlan|WriteItem|WriteItemType)$/,
  /^megatron\.core\.dist_checkpointing\.[\w.]+\.MCore\w+$/,
];

/** Whose classes the arguments and the state of a run are made of. */
const ROOTS = [
  "megatron",
  "numpy",
  "slime",
  "torch",
  "transformer_engine",
  "transformers",
];

/** Functions among them that rebuild values. */
const REBUILDERS =
  /^(torch\._utils\._rebuild_\w+|torch\._tensor\._rebuild_from_type_v2|torch\.nn\.functional\.\w+|megatron\.core\.activations\.\w+|numpy\.(_core|core)\.multiarray\.(_reconstruct|scalar)|numpy\.(_core|core)\.numeric\._frombuffer|numpy\.dtype|numpy\.ndarray|torch\.(serialization\._get_layout|device|strided|\w+_format)|numpy\.random\._pickle\.\w+)$/;

/** Of the pickle within a saved tensor. */
export function allowInTensor(name: string): boolean {
  return isOf(TENSOR, name) || isTorchType(name);
}

/** Of `.metadata`. */
export function allowInMetadata(name: string): boolean {
  return isOf(METADATA, name) || isTorchType(name);
}

function isOf(names: readonly RegExp[], name: string): boolean {
  return names.some((one) => one.test(name));
}

/** Of `common.pt`: arguments and state of a run, which hold enums and configs of many modules. */
export function allowInCommon(name: string): boolean {
  if (isOf(PLAIN, name) || isTorchType(name) || REBUILDERS.test(name)) {
    return true;
  }
  const parts = name.split(".");
  return ROOTS.includes(parts[0] ?? "") && /^[A-Z]/.test(parts.at(-1) ?? "") ||
    /^(datetime|enum)\.\w+$/.test(name);
}

/** `torch.bfloat16`, `torch.BFloat16Storage`. */
function isTorchType(name: string): boolean {
  const type = /^torch\.(\w+)$/.exec(name)?.[1];
  return type !== undefined && torchDtype(type) !== undefined;
}
