import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { DataError } from "../../../../env/errors.ts";
import { readSafetensors } from "../../../../train/slime/checkpoint/safetensors.ts";
import { testPython, withoutPython } from "../../../support/python.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const ASK = fileURLToPath(
  new URL("../../../support/ask_safetensors.py", import.meta.url),
);

const F32 = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';

/** Returns a header with one tensor that has the given fields. */
function tensor(fields: string): string {
  return `{"a":{${fields}}}`;
}

/** Returns a header with one tensor that has no data. */
function emptyTensor(shape: string): string {
  return tensor(`"dtype":"F32","shape":${shape},"data_offsets":[0,0]`);
}

const SHAPE_AND_PLACE = '"shape":[1],"data_offsets":[0,4]';

/** Headers, each with the number of data bytes that follow it, keyed by a description. */
const HEADERS: Readonly<Record<string, [header: string, data: number]>> = {
  plain: [`{"a":${F32}}`, 4],
  "spaces after": [`{"a":${F32}}   `, 4],
  "a line end after": [`{"a":${F32}}\n`, 4],
  "a space before": [` {"a":${F32}}`, 4],
  "a byte order mark": [`\ufeff{"a":${F32}}`, 4],
  "no tensor": ["{}", 0],
  "an empty tensor of an axis past 2^53": [emptyTensor(`[0,${2n ** 60n}]`), 0],
  "an empty tensor of the longest axis": [
    emptyTensor(`[${2n ** 64n - 1n},0]`),
    0,
  ],
  "an empty tensor of an axis past 2^64": [emptyTensor(`[0,${2n ** 64n}]`), 0],
  "an empty tensor of endless axes": [
    emptyTensor("[0,4294967296,4294967296]"),
    0,
  ],
  "axes past 2^64, then an empty one": [
    emptyTensor("[4294967296,4294967296,0]"),
    0,
  ],
  "a list": ["[]", 0],
  null: ["null", 0],
  "more after it": [`{"a":${F32}}{}`, 4],
  "a comma too many": [`{"a":${F32},}`, 4],
  "a tensor twice": [`{"a":${F32},"a":${F32}}`, 4],
  "another tensor of that name": [
    `{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"a":${F32}}`,
    4,
  ],
  "metadata twice": [
    `{"__metadata__":{"x":"1"},"__metadata__":{"y":"1"},"a":${F32}}`,
    4,
  ],
  "a word of the metadata twice": [
    `{"__metadata__":{"x":"1","x":"2"},"a":${F32}}`,
    4,
  ],
  "metadata null": [`{"__metadata__":null,"a":${F32}}`, 4],
  "a number in the metadata": [`{"__metadata__":{"x":1},"a":${F32}}`, 4],
  "null in the metadata": [`{"__metadata__":{"x":null},"a":${F32}}`, 4],
  "a list as metadata": [`{"__metadata__":[],"a":${F32}}`, 4],
  "text as metadata": [`{"__metadata__":"x","a":${F32}}`, 4],
  "a field twice": [
    tensor(`"dtype":"F32","dtype":"F32",${SHAPE_AND_PLACE}`),
    4,
  ],
  "two shapes": [
    tensor('"dtype":"F32","shape":[2],"shape":[1],"data_offsets":[0,4]'),
    4,
  ],
  "a field more": [tensor(`"dtype":"F32",${SHAPE_AND_PLACE},"x":1`), 4],
  "a field more, twice": [
    tensor(`"dtype":"F32",${SHAPE_AND_PLACE},"x":1,"x":2`),
    4,
  ],
  "a number without end, ignored": [
    tensor(`"dtype":"F32",${SHAPE_AND_PLACE},"x":1e999`),
    4,
  ],
  "deep, ignored": [
    tensor(
      `"dtype":"F32",${SHAPE_AND_PLACE},"x":${"[".repeat(200)}${
        "]".repeat(200)
      }`,
    ),
    4,
  ],
  "deep enough, ignored": [
    tensor(
      `"dtype":"F32",${SHAPE_AND_PLACE},"x":${"[".repeat(100)}${
        "]".repeat(100)
      }`,
    ),
    4,
  ],
  NaN: [tensor('"dtype":"F32","shape":[NaN],"data_offsets":[0,4]'), 4],
  "a float in the shape": [
    tensor('"dtype":"F32","shape":[1.0],"data_offsets":[0,4]'),
    4,
  ],
  "an exponent in the shape": [
    tensor('"dtype":"F32","shape":[1e0],"data_offsets":[0,4]'),
    4,
  ],
  "-1 in the shape": [
    tensor('"dtype":"F32","shape":[-1],"data_offsets":[0,4]'),
    4,
  ],
  "-0 in the shape": [
    tensor('"dtype":"F32","shape":[-0],"data_offsets":[0,0]'),
    0,
  ],
  "01 in the shape": [
    tensor('"dtype":"F32","shape":[01],"data_offsets":[0,4]'),
    4,
  ],
  "2 to the 64th in the shape": [
    tensor('"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]'),
    4,
  ],
  "a shape that overflows": [
    tensor(
      '"dtype":"F32","shape":[9223372036854775808,2],"data_offsets":[0,0]',
    ),
    0,
  ],
  "no axis": [tensor('"dtype":"F32","shape":[],"data_offsets":[0,4]'), 4],
  "three offsets": [
    tensor('"dtype":"F32","shape":[1],"data_offsets":[0,4,8]'),
    4,
  ],
  "one offset": [tensor('"dtype":"F32","shape":[1],"data_offsets":[4]'), 4],
  "a float as offset": [
    tensor('"dtype":"F32","shape":[1],"data_offsets":[0.0,4]'),
    4,
  ],
  "offsets the wrong way": [
    tensor('"dtype":"F32","shape":[0],"data_offsets":[4,0]'),
    4,
  ],
  "a gap": [tensor('"dtype":"F32","shape":[1],"data_offsets":[4,8]'), 8],
  overlap: [`{"a":${F32},"b":${F32}}`, 4],
  "an empty tensor in the middle": [
    `{"a":${F32},"b":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}}`,
    4,
  ],
  "an empty tensor first, said last": [
    `{"a":${F32},"b":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`,
    4,
  ],
  "said in another order": [
    `{"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"a":${F32}}`,
    8,
  ],
  "a byte too many": [`{"a":${F32}}`, 5],
  "cut off": [`{"a":${F32}}`, 2],
  "an unknown type": [tensor(`"dtype":"F31",${SHAPE_AND_PLACE}`), 4],
  "a type in small letters": [tensor(`"dtype":"f32",${SHAPE_AND_PLACE}`), 4],
  "a type as an object": [tensor(`"dtype":{"F32":null},${SHAPE_AND_PLACE}`), 4],
  "no type": [tensor(SHAPE_AND_PLACE), 4],
  "no shape": [tensor('"dtype":"F32","data_offsets":[0,4]'), 4],
  "no place": [tensor('"dtype":"F32","shape":[1]'), 4],
  "a tensor as a list": ['{"a":["F32",[1],[0,4]]}', 4],
  "a tensor as a number": ['{"a":1}', 0],
  "a lone surrogate as name": [`{"\\ud800":${F32}}`, 4],
  "a pair as name": [`{"\\ud83d\\ude00":${F32}}`, 4],
  "a tab within a name": [`{"a\tb":${F32}}`, 4],
  "a wrong escape": [`{"a\\x":${F32}}`, 4],
  "__proto__": [`{"__proto__":${F32}}`, 4],
  "a name without letters": [`{"":${F32}}`, 4],
};

const TYPES = [
  "BOOL U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ".split(" ")
    .map((name) => [name, 8] as const),
  "I16 U16 F16 BF16".split(" ").map((name) => [name, 16] as const),
  "I32 U32 F32".split(" ").map((name) => [name, 32] as const),
  "F64 I64 U64 C64".split(" ").map((name) => [name, 64] as const),
  [["F4", 4], ["F6_E2M3", 6], ["F6_E3M2", 6], ["C128", 128]] as const,
].flat();

function fileOf(header: string, data: number, length?: bigint): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length + data);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function files(): Map<string, Uint8Array> {
  const all = new Map(
    Object.entries(HEADERS).map((
      [name, [header, data]],
    ) => [name, fileOf(header, data)]),
  );
  for (const [type, bits] of TYPES) {
    for (const count of [1, 4, 8]) {
      const bytes = Math.floor(count * bits / 8);
      const header = tensor(
        `"dtype":"${type}","shape":[${count}],"data_offsets":[0,${bytes}]`,
      );
      all.set(`${count} of ${type}`, fileOf(header, bytes));
    }
  }
  all.set("nothing", new Uint8Array());
  all.set("seven bytes", new Uint8Array(7));
  all.set("a header of no bytes", fileOf("", 0));
  all.set("a header longer than the file", fileOf("{}", 0, 100n));
  all.set("a header longer than anything", fileOf("{}", 0, 1n << 63n));
  const damaged = fileOf(`{"a":${F32}}`, 4);
  all.set("a name that is no UTF-8", damaged.with(10, 0xff));
  return all;
}

Deno.test({
  name:
    "readSafetensors() accepts and rejects the same files as the safetensors library (needs Python with safetensors)",
  ignore: withoutPython(),
  fn: () =>
    inTempDir(async (dir) => {
      const names = [...files().keys()];
      for (const [i, bytes] of [...files().values()].entries()) {
        await Deno.writeFile(`${dir}/${i}`, bytes);
      }
      const { stdout, success } = await new Deno.Command(testPython()!, {
        args: [ASK, dir],
      }).output();
      assert.ok(success);
      const answers = JSON.parse(new TextDecoder().decode(stdout));
      for (const [i, name] of names.entries()) {
        assert.deepEqual(readOurs(`${dir}/${i}`), answers[i], name);
      }
    }),
});

function readOurs(path: string): string[] | null {
  try {
    return [...readSafetensors(path).tensors.keys()].sort();
  } catch (error) {
    if (error instanceof DataError) return null;
    throw error;
  }
}
