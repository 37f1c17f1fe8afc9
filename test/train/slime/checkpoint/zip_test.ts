import { deepStrictEqual, ok, throws } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import fc from "fast-check";
import { DataError } from "../../../../env/errors.ts";
import {
  ByteFile,
  FileSlice,
} from "../../../../train/slime/checkpoint/byte_file.ts";
import {
  entryOffset,
  readEntry,
  zipEntries,
} from "../../../../train/slime/checkpoint/zip.ts";
import { zipStored } from "../../../../train/slime/checkpoint/synthetic_torch.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const text = (words: string) => new TextEncoder().encode(words);
const archive = new Uint8Array(Buffer.concat(
  zipStored([["a/data.pkl", text("pickled")], ["a/data/0", text("numbers")]]),
));

/** Calls `body` with the archive as a slice in the middle of a file. */
async function withSlice(
  bytes: Uint8Array,
  body: (slice: FileSlice) => void,
): Promise<void> {
  await inTempDir((dir) => {
    const path = join(dir, "file");
    Deno.writeFileSync(
      path,
      Buffer.concat([text("before"), bytes, text("after")]),
    );
    using file = new ByteFile(path);
    body(new FileSlice(file, { start: 6, size: bytes.length }));
    return Promise.resolve();
  });
}

function all(slice: FileSlice): string[] {
  return [...zipEntries(slice).values()].map((entry) =>
    new TextDecoder().decode(readEntry(slice, entry, { limit: 100 }))
  );
}

Deno.test("zipEntries() finds the entries of an archive within a file", async () => {
  await withSlice(
    archive,
    (slice) => deepStrictEqual(all(slice), ["pickled", "numbers"]),
  );
});

Deno.test("zipEntries() reads zip64 sizes and offsets", async () => {
  await withSlice(zip64(), (slice) => deepStrictEqual(all(slice), ["pickled"]));
});

/** Returns an archive with a single entry, 64-bit sizes and a 64-bit directory offset. */
function zip64(): Uint8Array {
  const le = (value: number, bytes: number) =>
    Array.from(
      { length: bytes },
      (_, i) => i < 6 ? Math.floor(value / 256 ** i) % 256 : 0,
    );
  const name = [...text("a/data.pkl")];
  const body = [...text("pickled")];
  const none = le(0xffffffff, 4);
  const local = [
    ...le(0x04034b50, 4),
    ...le(0, 14),
    ...none,
    ...none,
    ...le(name.length, 2),
    ...le(20, 2),
    ...name,
    ...le(1, 2),
    ...le(16, 2),
    ...le(7, 8),
    ...le(7, 8),
    ...body,
  ];
  local.splice(14, 4, ...le(0, 4));
  const extra = [
    ...le(9, 2),
    ...le(1, 2),
    0,
    ...le(1, 2),
    ...le(24, 2),
    ...le(7, 8),
    ...le(7, 8),
    ...le(0, 8),
  ];
  const central = [
    ...le(0x02014b50, 4),
    ...le(0, 12),
    ...le(0, 4),
    ...none,
    ...none,
    ...le(name.length, 2),
    ...le(extra.length, 2),
    ...le(0, 10),
    ...none,
    ...name,
    ...extra,
  ];
  const end64 = [
    ...le(0x06064b50, 4),
    ...le(44, 8),
    ...le(0, 12),
    ...le(1, 8),
    ...le(1, 8),
    ...le(central.length, 8),
    ...le(local.length, 8),
  ];
  const locator = [
    ...le(0x07064b50, 4),
    ...le(0, 4),
    ...le(local.length + central.length, 8),
    ...le(1, 4),
  ];
  const end = [
    ...le(0x06054b50, 4),
    ...le(0, 4),
    ...le(0xffff, 2),
    ...le(0xffff, 2),
    ...none,
    ...none,
    0,
    0,
  ];
  return Uint8Array.from([...local, ...central, ...end64, ...locator, ...end]);
}

Deno.test("readEntry() detects changed bytes", async () => {
  const changed = archive.slice();
  changed[40]! ^= 1;
  ok(new TextDecoder().decode(archive.subarray(40, 47)) === "pickled");
  await withSlice(
    changed,
    (slice) =>
      throws(
        () => all(slice),
        /"a\/data.pkl" has changed since it was written/,
      ),
  );
});

Deno.test("zipEntries() rejects an archive that is truncated, compressed, encrypted or has wrong offsets", async () => {
  const central = archive.length - 22 - 2 * 46 - 18;
  const set = (at: number, ...bytes: number[]) => {
    const copy = archive.slice();
    copy.set(bytes, at);
    return copy;
  };
  for (
    const [bytes, words] of [
      [archive.subarray(0, -1), /does not end like a zip archive/],
      [archive.subarray(0, 10), /too short/],
      [set(central + 10, 8), /compressed/],
      [set(central + 8, 1), /encrypted/],
      [set(central + 24, 255, 255, 255), /compressed/],
      [
        set(central + 20, 255, 255, 255, 0, 255, 255, 255, 0),
        /extends past the end of the archive/,
      ],
      [set(central + 42, 255, 255, 255), /extends past the end of the archive/],
      [set(central + 28, 255, 255), /ends early/],
      [set(central + 46, 98), /has the name .* in its local header/],
      [set(0, 0), /has no local header/],
      [set(archive.length - 22 + 16, 255, 255, 255, 127), /outside/],
      [set(archive.length - 22 + 10, 1), /wrong length/],
      [set(archive.length - 22 + 10, 9), /ends early/],
      [
        set(archive.length - 22 + 10, 255, 255),
        /zip64 directory cannot be found/,
      ],
    ] as const
  ) {
    await withSlice(bytes, (slice) => throws(() => all(slice), words));
  }
});

Deno.test("zipEntries() reads an archive or throws a DataError, whatever byte is changed", async () => {
  await inTempDir((dir) => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), {
          minLength: 1,
          maxLength: 4,
        }),
        (changes) => {
          const bytes = archive.slice();
          for (const [at, byte] of changes) bytes[at] = byte;
          const path = join(dir, "file");
          Deno.writeFileSync(path, bytes);
          using file = new ByteFile(path);
          const slice = new FileSlice(file, { start: 0, size: bytes.length });
          try {
            for (const entry of zipEntries(slice).values()) {
              entryOffset(slice, entry);
            }
          } catch (error) {
            ok(error instanceof DataError, String(error));
          }
        },
      ),
      { numRuns: 500 },
    );
    return Promise.resolve();
  });
});
