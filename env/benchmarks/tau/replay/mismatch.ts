/** What a replay found to differ from its recording. */

/** One thing that is not as it was recorded. */
export interface Mismatch {
  readonly path: string;
  /** The record's number in its file, from 1. */
  readonly record: number;
  /** What the record calls itself: `test/17`, `case 120`. */
  readonly label: string;
  /** The step's number in its record, from 1; `null` for what concerns the whole record. */
  readonly step: number | null;
  /** What differs: `observation`, `data_hash`, `reward`. */
  readonly field: string;
  readonly expected: string;
  readonly got: string;
}

/** How much of a long text around the first difference is shown. */
const WINDOW = 60;

/** A mismatch on one line. */
export function describeMismatch(mismatch: Mismatch): string {
  const { path, record, label, step, field } = mismatch;
  const { expected, got } = around(mismatch);
  const place = step === null ? "" : `, step ${step}`;
  return `${path}: record ${record} (${label})${place}, ${field}: expected ${expected}, got ${got}`;
}

/** Gathers the mismatches of one record. */
export class Checker {
  readonly mismatches: Mismatch[] = [];
  readonly #record: Pick<Mismatch, "path" | "record" | "label">;

  constructor(record: Pick<Mismatch, "path" | "record" | "label">) {
    this.#record = record;
  }

  /** Notes a mismatch unless both are equal. */
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

/** Both texts quoted, and cut to where they begin to differ. */
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
