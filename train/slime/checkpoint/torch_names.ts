/**
 * Lists the classes and functions that the pickles of a checkpoint may name.
 *
 * taulab runs none of them. The lists protect programs that later load the file in Python with `weights_only=False`, as
 * slime's tools do: a file that names `os.system` is rejected.
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

/** The names that may occur in the pickle of a saved tensor, apart from storages and dtypes. */
const TENSOR = [
  /^collections\.OrderedDict$/,
  /^torch\._utils\._rebuild_(tensor_v2|tensor|parameter)$/,
  /^torch\.Size$/,
  /^torch\.storage\.(Untyped|Typed)Storage$/,
];

/**
 * The names that may occur in `.metadata`. They include classes of Megatron, because `.metadata` contains Megatron's
 * plan for saving the checkpoint.
 */
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

/** The packages whose classes may occur in a run's arguments and state. */
const ROOTS = [
  "megatron",
  "numpy",
  "slime",
  "torch",
  "transformer_engine",
  "transformers",
];

/**
 * Matches the names in the packages of {@linkcode ROOTS} that are allowed although they do not begin with a capital
 * letter, such as functions that rebuild values.
 */
const REBUILDERS =
  /^(torch\._utils\._rebuild_\w+|torch\._tensor\._rebuild_from_type_v2|torch\.nn\.functional\.\w+|megatron\.core\.activations\.\w+|numpy\.(_core|core)\.multiarray\.(_reconstruct|scalar)|numpy\.(_core|core)\.numeric\._frombuffer|numpy\.dtype|numpy\.ndarray|torch\.(serialization\._get_layout|device|strided|\w+_format)|numpy\.random\._pickle\.\w+)$/;

/** Checks whether the pickle of a saved tensor may contain a name. */
export function allowInTensor(name: string): boolean {
  return isOf(TENSOR, name) || isTorchType(name);
}

/** Checks whether `.metadata` may contain a name. */
export function allowInMetadata(name: string): boolean {
  return isOf(METADATA, name) || isTorchType(name);
}

function isOf(names: readonly RegExp[], name: string): boolean {
  return names.some((one) => one.test(name));
}

/**
 * Checks whether `common.pt` may contain a name. This file contains a run's arguments and state, with enums and configs
 * from many modules.
 */
export function allowInCommon(name: string): boolean {
  if (isOf(PLAIN, name) || isTorchType(name) || REBUILDERS.test(name)) {
    return true;
  }
  const parts = name.split(".");
  return ROOTS.includes(parts[0] ?? "") && /^[A-Z]/.test(parts.at(-1) ?? "") ||
    /^(datetime|enum)\.\w+$/.test(name);
}

/** Checks whether a name is a dtype or a storage class, such as `torch.bfloat16` or `torch.BFloat16Storage`. */
function isTorchType(name: string): boolean {
  const type = /^torch\.(\w+)$/.exec(name)?.[1];
  return type !== undefined && torchDtype(type) !== undefined;
}
