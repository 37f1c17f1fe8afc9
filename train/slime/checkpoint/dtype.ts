/** Types of a tensor's elements, by the names of safetensors and of PyTorch. */

/** Bytes of an element, by safetensors' name of the type. */
export const DTYPE_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const satisfies Record<string, number>;

/** A type of elements. */
export type Dtype = keyof typeof DTYPE_BYTES;

/** Whether `name` is a type that is known here. */
export function isDtype(name: unknown): name is Dtype {
  return typeof name === "string" && Object.hasOwn(DTYPE_BYTES, name);
}

/** PyTorch's names: of a `torch.dtype`, and of the class of its storages. */
const TORCH_NAMES: Readonly<Record<string, Dtype>> = {
  bool: "BOOL",
  uint8: "U8",
  int8: "I8",
  float8_e4m3fn: "F8_E4M3",
  float8_e5m2: "F8_E5M2",
  uint16: "U16",
  int16: "I16",
  float16: "F16",
  bfloat16: "BF16",
  uint32: "U32",
  int32: "I32",
  float32: "F32",
  uint64: "U64",
  int64: "I64",
  float64: "F64",
  BoolStorage: "BOOL",
  ByteStorage: "U8",
  CharStorage: "I8",
  ShortStorage: "I16",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  IntStorage: "I32",
  FloatStorage: "F32",
  LongStorage: "I64",
  DoubleStorage: "F64",
};

/** The type that PyTorch calls `name`: `bfloat16`, `BFloat16Storage`. */
export function torchDtype(name: string): Dtype | undefined {
  return Object.hasOwn(TORCH_NAMES, name) ? TORCH_NAMES[name] : undefined;
}
