import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { parquetMetadata, parquetReadObjects, parquetSchema } from "hyparquet";
import { type TableRow, writeTable } from "../../../train/runs/table_file.ts";
import { testPython, withoutPython } from "../../support/python.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const ROWS: readonly TableRow[] = [
  { word: 'a "b", c', count: 1, share: 0.5, good: true },
  { word: "two\nlines", count: null, share: 2, good: false },
  { word: "", count: 2 ** 40, share: -0.25, good: null },
  { word: null, count: 0, share: null, good: true },
];
const OPTIONS = { integers: ["count"] };

/** Arbitrary rows with a text, a number, an integer and a boolean, each of which may be missing. */
const anyRows = fc.array(
  fc.record({
    text: fc.option(fc.string({ unit: "grapheme" })),
    number: fc.option(fc.double({ noNaN: true })),
    count: fc.option(fc.maxSafeInteger()),
    good: fc.option(fc.boolean()),
  }),
  { minLength: 1, maxLength: 20 },
);

async function readParquet(path: string) {
  const bytes = await Deno.readFile(path);
  const file = bytes.buffer;
  const { children } = parquetSchema(parquetMetadata(file));
  return {
    types: children.map(({ element }) => [element.name, element.type]),
    rows: await parquetReadObjects({ file }),
  };
}

Deno.test("writeTable() distinguishes missing values from empty text in CSV", async () => {
  await inTempDir(async (dir) => {
    const path = join(dir, "t.csv");
    await writeTable(path, ROWS, OPTIONS);
    assert.equal(
      await Deno.readTextFile(path),
      [
        "word,count,share,good",
        '"a ""b"", c",1,0.5,true',
        '"two\nlines",,2,false',
        '"",1099511627776,-0.25,',
        ",0,,true",
        "",
      ].join("\n"),
    );
  });
});

Deno.test("writeTable() writes Parquet that reads back unchanged", async () => {
  await inTempDir(async (dir) => {
    const path = join(dir, "t.parquet");
    await fc.assert(
      fc.asyncProperty(anyRows, async (rows) => {
        await writeTable(path, rows, OPTIONS);
        const read = await readParquet(path);
        assert.deepEqual(
          read.rows.map(({ text, number, count, good }) => ({
            text,
            number,
            count: count === null ? null : Number(count),
            good,
          })),
          rows.map((row) => ({ ...row })),
        );
      }),
      { numRuns: 40 },
    );
  });
});

Deno.test("writeTable() gives a column the same type in every file, if it is known by name", async () => {
  await inTempDir(async (dir) => {
    const path = join(dir, "t.parquet");
    for (const reward of [1, 0.5]) {
      for (const seed of [1, null]) {
        await writeTable(path, [{ seed, reward }]);
        assert.deepEqual((await readParquet(path)).types, [
          ["seed", "INT64"],
          ["reward", "DOUBLE"],
        ]);
      }
    }
  });
});

Deno.test("writeTable() treats a missing key as a missing value, and creates the directory", async () => {
  await inTempDir(async (dir) => {
    const path = join(dir, "made", "t.csv");
    await writeTable(path, [{ a: 1 }, { b: "x" }]);
    assert.equal(await Deno.readTextFile(path), "a,b\n1,\n,x\n");
  });
});

Deno.test("writeTable() refuses another extension, no rows, and a column of several types, and leaves no file", async () => {
  await inTempDir(async (dir) => {
    const path = join(dir, "t.csv");
    const refused = [
      [writeTable(join(dir, "t.xlsx"), ROWS), /the file name must end in .csv/],
      [writeTable(path, []), /no rows/],
      [writeTable(path, [{ a: 1 }, { a: "b" }]), /"a".*number, string/],
      [writeTable(path, [{ a: 1.5 }], { integers: ["a"] }), /"a" contains 1.5/],
    ] as const;
    for (const [written, message] of refused) {
      await assert.rejects(written, { message });
    }
    assert.deepEqual([...Deno.readDirSync(dir)], []);
  });
});

Deno.test({
  name: "writeTable(): Python's csv reads every field as it was (needs Python)",
  ignore: withoutPython(),
  fn: async () => {
    await inTempDir(async (dir) => {
      const path = join(dir, "t.csv");
      await writeTable(path, ROWS, OPTIONS);
      const { stdout } = await new Deno.Command(testPython() ?? "", {
        args: [
          "-c",
          "import csv, json, sys; print(json.dumps(list(csv.reader(open(sys.argv[1], newline='')))))",
          path,
        ],
      }).output();
      const text = ROWS.map((row) =>
        Object.values(row).map((value) => `${value ?? ""}`)
      );
      assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), [
        ["word", "count", "share", "good"],
        ...text,
      ]);
    });
  },
});
