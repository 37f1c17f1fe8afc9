/**
 * Which classes and functions the pickles of a checkpoint may name.
 *
 * Nothing of them is run here. The lists are for who loads the checkpoint in Python afterwards, with
 * `weights_only=False` as slime's tools do: a file that names `os.system` is no checkpoint.
 */

import { torchDtype } from "./dtype.ts";

const DCP = "torch.distributed.checkpoint";

const PLAIN = [
  "argparse.Namespace",
  "collections.OrderedDict",
  "collections.defaultdict",
  "collections.deque",
  "_codecs.encode",
  "copyreg._reconstructor",
  "copy_reg._reconstructor",
  ...["pathlib", "pathlib._local"].flatMap((module) =>
    ["Path", "PosixPath", "PurePath", "PurePosixPath", "WindowsPath"]
      .map((name) => `${module}.${name}`)
  ),
  ...["builtins", "__builtin__"].flatMap((module) =>
    [
      "bool",
      "bytearray",
      "bytes",
      "complex",
      "dict",
      "float",
      "frozenset",
      "int",
      "list",
      "object",
      "range",
      "set",
      "slice",
      "str",
      "tuple",
    ].map((name) => `${module}.${name}`)
  ),
];

/** What a saved tensor names, storages and dtypes aside. */
const TENSOR = [
  "collections.OrderedDict",
  "torch._utils._rebuild_tensor_v2",
  "torch._utils._rebuild_tensor",
  "torch._utils._rebuild_parameter",
  "torch.Size",
  "torch.storage.UntypedStorage",
  "torch.storage.TypedStorage",
];

const METADATA = [
  ...PLAIN,
  "torch.Size",
  "torch.strided",
  "torch.contiguous_format",
  "torch.preserve_format",
  "torch.serialization._get_layout",
  "torch.distributed._shard.sharded_tensor.metadata.TensorProperties",
  "torch.distributed._shard.sharded_tensor.metadata.MEM_FORMAT_ENCODING",
  `${DCP}.filesystem._StorageInfo`,
  ...[
    "BytesStorageMetadata",
    "ChunkStorageMetadata",
    "Metadata",
    "MetadataIndex",
    "StorageMeta",
    "TensorProperties",
    "TensorStorageMetadata",
    "_MEM_FORMAT_ENCODING",
  ].map((name) => `${DCP}.metadata.${name}`),
  ...[
    "BytesIOWriteData",
    "SavePlan",
    "TensorWriteData",
    "WriteItem",
    "WriteItemType",
  ].map((name) => `${DCP}.planner.${name}`),
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

const plain = new Set(PLAIN);
const tensor = new Set(TENSOR);
const metadata = new Set(METADATA);

/** Of the pickle within a saved tensor. */
export function allowInTensor(name: string): boolean {
  return tensor.has(name) || isTorchType(name);
}

/** Of `.metadata`, Megatron's own plans included, which it keeps there. */
export function allowInMetadata(name: string): boolean {
  return metadata.has(name) || isTorchType(name) ||
    /^megatron\.core\.dist_checkpointing\.[\w.]+\.MCore\w+$/.test(name);
}

/** Of `common.pt`: arguments and state of a run, which hold enums and configs of many modules. */
export function allowInCommon(name: string): boolean {
  if (plain.has(name) || isTorchType(name) || REBUILDERS.test(name)) {
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
