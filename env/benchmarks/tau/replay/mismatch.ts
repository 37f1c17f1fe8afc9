/** Collects and formats the differences between a replay and its recording. */

/** A value that differs from the recorded value. */
export interface Mismatch {
  readonly path: string;
  /** The record's number in its file, from 1. */
  readonly record: number;
  /** The record's label, such as `test/17` or `case 120`. */
  readonly label: string;
  /** The step's number in its record, from 1; `null` if the mismatch concerns the whole record. */
  readonly step: number | null;
  /** The name of the compared value, such as `observation`, `data_hash` or `reward`. */
  readonly field: string;
  readonly expected: string;
  readonly got: string;
}

/** The number of characters shown around the first difference in a long string. */
const WINDOW = 60;

/** Formats a mismatch on one line. */
export function describeMismatch(mismatch: Mismatch): string {
  const { path, record, label, step, field } = mismatch;
  const { expected, got } = around(mismatch);
  const place = step === null ? "" : `, step ${step}`;
  return `${path}: record ${record} (${label})${place}, ${field}: expected ${expected}, got ${got}`;
}

/** Collects the mismatches of one record. */
export class Checker {
  readonly mismatches: Mismatch[] = [];
  readonly #record: Pick<Mismatch, "path" | "record" | "label">;

  constructor(record: Pick<Mismatch, "path" | "record" | "label">) {
    this.#record = record;
  }

  /** Compares two values and records a mismatch if they differ. */
  equal(
    field: string,
    { expected, got, step = null }: {
      expected: unknown;
      got: unknown;
      step?: number | null;
    },
  ): void {
    const [left, right] = [text(expected), text(got)];
    if (left === right) return;
    this.mismatches.push({
      ...this.#record,
      step,
      field,
      expected: left,
      got: right,
    });
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "nothing";
}

/** Returns both values of a mismatch, quoted and shortened to the part around their first difference. */
function around(
  { expected, got }: Mismatch,
): { expected: string; got: string } {
  let same = 0;
  while (same < expected.length && expected[same] === got[same]) same++;
  const from = Math.max(0, same - WINDOW / 2);
  return { expected: cut(expected, from), got: cut(got, from) };
}

function cut(text: string, from: number): string {
  const part = JSON.stringify(text.slice(from, from + WINDOW));
  return (from > 0 ? "…" : "") + part +
    (from + WINDOW < text.length ? "…" : "");
}
