/** Formats, for a terminal, a world that `deno task mock` generated. */

import type { Finding } from "../env/audit/finding.ts";
import type { Coverage } from "../env/generated/coverage.ts";
import type { WorldFile } from "../env/generated/world_files.ts";
import type { Exclusion } from "../train/config/exclusions.ts";
import type { World } from "../train/mock/mock_world.ts";
import { bytes, count, duration, percent } from "../train/progress/amounts.ts";
import { table } from "../train/progress/text_table.ts";

/** A generated world, with figures about it. */
export interface Mocked {
  readonly world: World;
  /** The number of requested tasks. */
  readonly asked: number;
  /** The number of drawn tasks. It is smaller than `asked` in a dry run of many tasks. */
  readonly drawn: number;
  /** The duration of the generation in seconds. */
  readonly seconds: number;
  readonly coverage: readonly Coverage[];
  readonly excluded: readonly Exclusion[];
  /** Findings about tasks that nearly duplicate other tasks. */
  readonly duplicates: readonly Finding[];
  readonly files: readonly WorldFile[];
  /** The directory of the written files; `null` if no files were written. */
  readonly out: string | null;
}

/**
 * Returns a description of a generated world: tables of tasks by intent and split and of policy clauses by tool, the
 * rejected draws, the near duplicates, and the files.
 */
export function worldText(mocked: Mocked): string {
  const { world, seconds, coverage, duplicates, files, out } = mocked;
  const size = files.reduce((sum, { text }) => sum + text.length, 0);
  return [
    splitsTable(mocked),
    coverageTable(coverage),
    refusedTable(mocked),
    duplicatesText(duplicates),
    `${count(world.certificates.size)} tasks certified in ${
      duration(seconds)
    }; ${count(files.length)} files, ${bytes(size)}${
      out === null ? ", not written" : ` in ${out}`
    }`,
    phrasingText(mocked),
    sampleText(mocked, size),
  ].filter((part) => part !== "").join("\n\n");
}

/** Returns the figures of a generated world as an object for `--json`. */
export function worldJson(
  { world, seconds, coverage, excluded, duplicates, asked, drawn }: Mocked,
): Record<string, unknown> {
  return {
    fingerprint: world.fingerprint,
    seconds,
    certified: world.certificates.size,
    asked,
    sampled: drawn < asked,
    drawn: drawnOf(world),
    refused: Object.fromEntries(world.dropped),
    coverage,
    near_duplicates: duplicates.length,
    excluded,
  };
}

/** Returns a warning if dev and test use phrasings that train does not; otherwise an empty string. */
function phrasingText({ world }: Mocked): string {
  const { options } = world;
  const isHeldOut = typeof options === "object" && options !== null &&
    "holdOutPhrasings" in options && options.holdOutPhrasings === true;
  if (!isHeldOut) return "";
  return "Users of dev and test use phrasings that never occur in train, which a policy trained from scratch cannot understand; pass --set holdOutPhrasings=false to use all phrasings in all splits.";
}

/**
 * Returns an estimate of the time and the size for all tasks if a dry run drew only some of them; otherwise an empty
 * string.
 */
function sampleText({ asked, drawn, seconds }: Mocked, size: number): string {
  if (drawn >= asked) return "";
  const times = asked / drawn;
  return `A dry run draws ${count(drawn)} of ${
    count(asked)
  } tasks; all of them would take about ${duration(seconds * times)} and ${
    bytes(size * times)
  }.`;
}

/** Returns the number of drawn tasks, including those without a certificate. */
function drawnOf({ certificates, dropped }: World): number {
  return dropped.values().reduce((sum, n) => sum + n, certificates.size);
}

function splitsTable({ world, excluded }: Mocked): string {
  const out = new Set(excluded.map(({ task }) => task));
  const intents = new Map<string, number[]>();
  for (const [at, split] of world.splits.entries()) {
    for (const { id, intent = "the benchmark's own" } of world.tasks(split)) {
      if (out.has(id)) continue;
      const kind = intent.includes("+") ? "several requests" : intent;
      const counts = intents.get(kind) ?? world.splits.map(() => 0);
      counts[at] = (counts[at] ?? 0) + 1;
      intents.set(kind, counts);
    }
  }
  return table([
    ["tasks", ...world.splits],
    ...[...intents].sort(([a], [b]) => a < b ? -1 : 1).map((
      [intent, counts],
    ) => [intent, ...counts.map(count)]),
  ]);
}

function coverageTable(coverage: readonly Coverage[]): string {
  const untested = new Map(
    coverage.flatMap(({ clause, untested }) =>
      untested === undefined ? [] : [[clause, untested]]
    ),
  );
  return [
    table([
      ["clause", "tool", "allowed", "refused"],
      ...coverage.map(({ clause, tool, allowed, refused }) => [
        clause,
        tool,
        count(allowed),
        count(refused),
      ]),
    ]),
    ...[...untested].map(([clause, why]) =>
      `no request is refused under ${clause}: ${why}`
    ),
  ].join("\n");
}

function refusedTable({ world }: Mocked): string {
  if (world.dropped.size === 0) return "";
  const drawn = drawnOf(world);
  return table([
    ["reason for a rejected draw", "draws", "share"],
    ...[...world.dropped].sort(([, a], [, b]) => b - a).map(([why, n]) => [
      why,
      count(n),
      percent(n / drawn),
    ]),
  ]);
}

function duplicatesText(duplicates: readonly Finding[]): string {
  if (duplicates.length === 0) return "No two tasks are near duplicates.";
  const shown = duplicates.slice(0, 5).map(({ taskId, reason }) =>
    `  ${taskId}: ${reason}`
  );
  return `${count(duplicates.length)} tasks are near duplicates of others:\n${
    shown.join("\n")
  }`;
}
