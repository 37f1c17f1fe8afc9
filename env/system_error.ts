/**
 * Recognizes errors that report that the operating system or SQLite refused an operation, for example because the disk
 * is full or a file is not writable, as opposed to bugs in this program.
 */

/** The reasons why the operating system, Deno or SQLite refuses an operation. */
export type RefusalKind =
  | "disk_full"
  | "not_permitted"
  | "forbidden"
  | "io_error"
  | "too_many_files"
  | "busy"
  | "damaged"
  | "bad_path";

/** A refused operation: the kind of refusal, its reason, and how to fix the problem. */
export interface Refusal {
  readonly kind: RefusalKind;
  /** The reason, as a clause in which `it` is the path: `the disk that holds it is full`. */
  readonly why: string;
  /** How to fix the problem, as a single instruction. */
  readonly hint: string;
}

/** The reasons for each kind of refusal, with their system error codes and error messages, in order of precedence. */
const SIGNS: readonly (Refusal & {
  readonly codes: readonly string[];
  readonly words: readonly string[];
})[] = [
  {
    kind: "disk_full",
    why: "the disk that holds it is full",
    hint: "free some space",
    codes: ["ENOSPC"],
    words: ["database or disk is full", "No space left on device"],
  },
  {
    kind: "disk_full",
    why: "the disk quota is used up",
    hint: "free some space, or ask for a larger quota",
    codes: ["EDQUOT"],
    words: ["quota exceeded"],
  },
  {
    kind: "disk_full",
    why: "it would exceed the maximum size of a file",
    hint: "raise the limit (ulimit -f), or use another file system",
    codes: ["EFBIG"],
    words: ["File too large"],
  },
  {
    kind: "not_permitted",
    why: "Deno lacks the permission",
    hint: "grant it with --allow-read and --allow-write",
    codes: [],
    words: [],
  },
  {
    kind: "damaged",
    why: "it is not a valid SQLite database",
    hint: "restore it from a backup",
    codes: [],
    words: [
      "database disk image is malformed",
      "file is not a database",
      "file is encrypted",
    ],
  },
  {
    kind: "busy",
    why: "another process is using it",
    hint: "wait for that process to end, or stop it",
    codes: ["EBUSY", "ETXTBSY"],
    words: ["database is locked", "database table is locked"],
  },
  {
    kind: "io_error",
    why: "the disk failed to read or write it",
    hint:
      "check that the disk works and is still mounted (dmesg, df), or use another disk",
    codes: ["EIO", "ESTALE", "ENXIO", "ENODEV", "EREMOTEIO", "ETIMEDOUT"],
    words: ["disk I/O error", "Input/output error", "Stale file handle"],
  },
  {
    kind: "too_many_files",
    why: "too many files are open",
    hint: "raise the limit with ulimit -n, or lower the concurrency",
    codes: ["EMFILE", "ENFILE"],
    words: [],
  },
  {
    kind: "forbidden",
    why: "this user lacks the permission",
    hint: "change the owner or mode of the file or directory",
    codes: ["EACCES", "EPERM"],
    words: ["readonly database"],
  },
  {
    kind: "forbidden",
    why: "the file system is read-only",
    hint: "mount it with write access, or choose another path",
    codes: ["EROFS"],
    words: [],
  },
  {
    kind: "forbidden",
    why: "SQLite cannot open it",
    hint:
      "check that its directory exists, and that this user may read and write both",
    codes: [],
    words: ["unable to open database file"],
  },
  {
    kind: "bad_path",
    why: "a part of the path is a file, not a directory",
    hint: "choose another path",
    codes: ["ENOTDIR"],
    words: [],
  },
  {
    kind: "bad_path",
    why: "it is a directory, not a file",
    hint: "choose another path",
    codes: ["EISDIR"],
    words: [],
  },
  {
    kind: "bad_path",
    why: "symbolic links in the path form a cycle",
    hint: "correct the links, or choose another path",
    codes: ["ELOOP"],
    words: [],
  },
  {
    kind: "bad_path",
    why: "the path is too long",
    hint: "choose a shorter path",
    codes: ["ENAMETOOLONG"],
    words: [],
  },
];

/** Returns the refusal that an error or one of its causes represents; `undefined` if there is none. */
export function refusalOf(error: unknown): Refusal | undefined {
  const chain = causes(error);
  const found = SIGNS.find(({ kind, codes, words }) =>
    chain.some((one) =>
      kind === "not_permitted"
        ? one.name === "NotCapable"
        : codes.includes(codeOf(one)) || isSqlite(one, words)
    )
  );
  if (found === undefined) return undefined;
  const { kind, why, hint } = found;
  return { kind, why, hint };
}

function causes(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causes(error.cause)] : [];
}

/** The system error codes of Deno's error classes, for errors that have no `code` property. */
const CODES: Readonly<Record<string, string>> = {
  PermissionDenied: "EACCES",
  NotADirectory: "ENOTDIR",
  IsADirectory: "EISDIR",
  FilesystemLoop: "ELOOP",
  Busy: "EBUSY",
};

function codeOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : CODES[error.name] ?? "";
}

/**
 * Checks whether the message of a plain `Error` or a SQLite error contains one of `words`, because these errors may
 * have no code that identifies the reason. taulab's own errors that quote such a message do not count.
 */
function isSqlite(error: Error, words: readonly string[]): boolean {
  return error.name === "Error" || codeOf(error) === "ERR_SQLITE_ERROR"
    ? words.some((word) => error.message.includes(word))
    : false;
}
