/**
 * TensorBoard's event files: TFRecords of `Event` messages.
 *
 * @see tensorflow `tensorflow/core/lib/io/record_writer.h`; tensorboard `compat/proto/event.proto`, `summary.proto` and
 * `plugins/hparams/plugin_data.proto` at 2.21.
 */

import { message } from "./protobuf.ts";

/** The lookup table of the reflected CRC-32C, indexed by byte. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) {
    crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return crc;
});

/** Returns the CRC-32C (Castagnoli) as an unsigned 32-bit integer. */
export function crc32c(data: Uint8Array): number {
  let crc = ~0;
  for (const byte of data) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 255]!;
  return ~crc >>> 0;
}

/**
 * Returns the masked checksum of a TFRecord: rotated and offset, because a plain CRC is unreliable for data that itself
 * contains CRCs.
 */
function maskedCrc(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Encodes a TFRecord: the length and its checksum, then the data and its checksum. */
export function tfRecord(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(data.length + 16);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(out.subarray(0, 8)), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return out;
}

/** Encodes the first event of a file. */
export function versionEvent(timeMs: number): Uint8Array {
  return message([1, "double", timeMs / 1000], [3, "string", "brain.Event:2"]);
}

/** Encodes an event with the values at a step. */
export function summaryEvent(
  { step, timeMs }: { readonly step: number; readonly timeMs: number },
  values: readonly Uint8Array[],
): Uint8Array {
  const summary = message(
    ...values.map((value) => [1, "bytes", value] as const),
  );
  return message(
    [1, "double", timeMs / 1000],
    [2, "int64", step],
    [5, "bytes", summary],
  );
}

/** Encodes a scalar. */
export function scalarValue(tag: string, value: number): Uint8Array {
  return message([1, "string", tag], [2, "float", value]);
}

/** The value of `DT_STRING` in TensorFlow's `types.proto`. */
const STRING = 7;

/** Encodes Markdown for the text dashboard. */
export function textValue(tag: string, text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const shape = message([2, "bytes", message([1, "int64", 1])]);
  return message(
    [1, "string", tag],
    [
      8,
      "bytes",
      message([1, "int64", STRING], [2, "bytes", shape], [8, "bytes", bytes]),
    ],
    [9, "bytes", pluginData("text", new Uint8Array())],
  );
}

/** Encodes the settings of this run for TensorBoard's HParams dashboard. */
export function hparamsValue(
  settings: ReadonlyMap<string, string | number | boolean>,
  { startedAtMs }: { readonly startedAtMs: number },
): Uint8Array {
  const entries = [...settings].map(([key, value]) =>
    [
      1,
      "bytes",
      message([1, "string", key], [2, "bytes", anyValue(value)]),
    ] as const
  );
  const start = message(...entries, [5, "double", startedAtMs / 1000]);
  return hparams("_hparams_/session_start_info", [3, "bytes", start]);
}

/** Encodes the outcome of the session for TensorBoard's HParams dashboard. */
export function sessionEndValue(
  { isCompleted, timeMs }: {
    readonly isCompleted: boolean;
    readonly timeMs: number;
  },
): Uint8Array {
  const end = message(
    [1, "int64", isCompleted ? 1 : 2], // STATUS_SUCCESS, STATUS_FAILURE
    [2, "double", timeMs / 1000],
  );
  return hparams("_hparams_/session_end_info", [4, "bytes", end]);
}

function hparams(
  tag: string,
  content: readonly [number, "bytes", Uint8Array],
): Uint8Array {
  return message([1, "string", tag], [
    9,
    "bytes",
    pluginData("hparams", message(content)),
  ]);
}

function pluginData(plugin: string, content: Uint8Array): Uint8Array {
  const data = message([1, "string", plugin], [2, "bytes", content]);
  return message([1, "bytes", data]);
}

/** Encodes a `google.protobuf.Value`. */
function anyValue(value: string | number | boolean): Uint8Array {
  if (typeof value === "number") return message([2, "double", value]);
  if (typeof value === "string") return message([3, "string", value]);
  return message([4, "bool", value]);
}
