import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { DataError } from "../../env/errors.ts";
import { type RefusalKind, refusalOf } from "../../env/system_error.ts";
import { errorText } from "../../tasks/_cli.ts";

/** Creates an error like those that Deno throws for a system error code. */
function system(code: string): Error {
  return Object.assign(new Error(`refused (os error): open '/a/b'`), { code });
}

/** Creates an error like those that `node:sqlite` throws. */
function sqlite(message: string): Error {
  return Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR" });
}

Deno.test("refusalOf() recognizes refusals of the system and SQLite, with a hint", () => {
  const cases: [Error, RefusalKind][] = [
    [system("ENOSPC"), "disk_full"],
    [system("EDQUOT"), "disk_full"],
    [system("EFBIG"), "disk_full"],
    [sqlite("database or disk is full"), "disk_full"],
    [system("EIO"), "io_error"],
    [system("ESTALE"), "io_error"],
    [sqlite("disk I/O error"), "io_error"],
    [system("EMFILE"), "too_many_files"],
    [system("EACCES"), "forbidden"],
    [system("EROFS"), "forbidden"],
    [sqlite("attempt to write a readonly database"), "forbidden"],
    [sqlite("unable to open database file: /a/b"), "forbidden"],
    [sqlite("database is locked"), "busy"],
    [sqlite("database disk image is malformed"), "damaged"],
    [sqlite("file is not a database"), "damaged"],
    [system("ENOTDIR"), "bad_path"],
    [system("ENAMETOOLONG"), "bad_path"],
    [new Error("wrapped", { cause: system("ENOSPC") }), "disk_full"],
  ];
  for (const [error, kind] of cases) {
    const refusal = refusalOf(error);
    assert.equal(refusal?.kind, kind, error.message);
    const text = errorText(error, "train");
    assert.doesNotMatch(text, /bug in taulab/);
    assert.ok(text.includes(refusal!.hint), text);
  }
  const reasons: [string, RegExp][] = [
    ["EDQUOT", /quota/],
    ["EFBIG", /maximum size of a file/],
    ["EROFS", /read-only/],
    ["EISDIR", /it is a directory/],
    ["ELOOP", /cycle/],
    ["ENAMETOOLONG", /too long/],
  ];
  for (const [code, why] of reasons) {
    assert.match(refusalOf(system(code))?.why ?? "", why);
  }
});

Deno.test("refusalOf() recognizes real SQLite errors: a full and a read-only database", () => {
  const really = (action: () => void): RefusalKind | undefined => {
    try {
      action();
      return undefined;
    } catch (error) {
      return refusalOf(error)?.kind;
    }
  };
  using db = new DatabaseSync(":memory:");
  db.exec("CREATE TABLE a (b); PRAGMA max_page_count = 2");
  const fill = "INSERT INTO a VALUES (zeroblob(100000))";
  assert.equal(really(() => db.exec(fill)), "disk_full");
  db.exec("PRAGMA query_only = 1");
  assert.equal(really(() => db.exec("DELETE FROM a")), "forbidden");
});

Deno.test("refusalOf() ignores errors of taulab, even if they quote a system error", () => {
  for (
    const error of [
      new TypeError("x is not a function"),
      new DataError('"a.json" says: database or disk is full'),
      new RangeError("disk I/O error"),
      "database is locked",
    ]
  ) assert.equal(refusalOf(error), undefined);
  assert.match(errorText(new TypeError("x"), "train"), /bug in taulab/);
});
