/** A minimal encoder for protocol buffers, used for formats that need only a few fields. */

import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

const WIRE = {
  string: WireType.LengthDelimited,
  bytes: WireType.LengthDelimited,
  double: WireType.Bit64,
  float: WireType.Bit32,
  int64: WireType.Varint,
  bool: WireType.Varint,
} as const;

/** A field: its number, type and value. A nested message is `bytes`. */
export type Field =
  | readonly [number: number, type: "string", value: string]
  | readonly [number: number, type: "bytes", value: Uint8Array]
  | readonly [number: number, type: "double" | "float" | "int64", value: number]
  | readonly [number: number, type: "bool", value: boolean];

/** Encodes a message from its fields, in the given order. `undefined` fields are omitted. */
export function message(
  ...fields: readonly (Field | undefined)[]
): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter();
  for (const field of fields) {
    if (field === undefined) continue;
    const [number, type, value] = field;
    writer.tag(number, WIRE[type]);
    // The union guarantees that type and value match.
    (writer[type] as (value: Field[2]) => unknown).call(writer, value);
  }
  return writer.finish();
}
