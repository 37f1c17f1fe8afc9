/** Defines the element types of tensors, with their names in safetensors and in PyTorch. */

/**
 * The element types, keyed by their names in safetensors. Each type has:
 * - the number of bytes per element, a fraction if several elements share a byte;
 * - the name of PyTorch's `torch.dtype`, if PyTorch has the type;
 * - the name of PyTorch's storage class, if there is one.
 */
const DTYPES = {
  BOOL: [1, "bool", "BoolStorage"],
  U8: [1, "uint8", "ByteStorage"],
  I8: [1, "int8", "CharStorage"],
  F4: [0.5],
  F6_E2M3: [0.75],
  F6_E3M2: [0.75],
  F8_E4M3: [1, "float8_e4m3fn"],
  F8_E4M3FNUZ: [1, "float8_e4m3fnuz"],
  F8_E5M2FNUZ: [1, "float8_e5m2fnuz"],
  F8_E8M0: [1, "float8_e8m0fnu"],
  F8_E5M2: [1, "float8_e5m2"],
  U16: [2, "uint16"],
  I16: [2, "int16", "ShortStorage"],
  F16: [2, "float16", "HalfStorage"],
  BF16: [2, "bfloat16", "BFloat16Storage"],
  U32: [4, "uint32"],
  I32: [4, "int32", "IntStorage"],
  F32: [4, "float32", "FloatStorage"],
  U64: [8, "uint64"],
  I64: [8, "int64", "LongStorage"],
  F64: [8, "float64", "DoubleStorage"],
  C64: [8, "complex64", "ComplexFloatStorage"],
} as const satisfies Record<string, readonly [number, ...string[]]>;

/** The type of a tensor's elements, given by its name in safetensors. */
export type Dtype = keyof typeof DTYPES;

const entries = Object.entries(DTYPES) as [
  Dtype,
  readonly [number, ...string[]],
][];

/** The number of bytes per element of each type. */
export const DTYPE_BYTES = Object.fromEntries(
  entries.map(([dtype, [bytes]]) => [dtype, bytes]),
) as Readonly<Record<Dtype, number>>;

const byTorchName = new Map(
  entries.flatMap(([dtype, [, ...names]]) =>
    names.map((name) => [name, dtype] as const)
  ),
);

/** Checks whether `name` is a known element type. */
export function isDtype(name: unknown): name is Dtype {
  return typeof name === "string" && Object.hasOwn(DTYPES, name);
}

/**
 * Returns the type that PyTorch calls `name`, such as `bfloat16` or `BFloat16Storage`; `undefined` if there is none.
 */
export function torchDtype(name: string): Dtype | undefined {
  return byTorchName.get(name);
}
