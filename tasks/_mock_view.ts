/** What `deno task mock` shows of a generated world. */

import type { Finding } from "../env/audit/finding.ts";
import type { Coverage } from "../env/generated/coverage.ts";
import type { WorldFile } from "../env/generated/world_files.ts";
import type { Exclusion } from "../train/config/exclusions.ts";
import type { World } from "../train/mock/mock_world.ts";
import { bytes, count, duration, percent } from "../train/progress/amounts.ts";
import { table } from "../train/progress/text_table.ts";

/** A world, and what is to be said of it. */
export interface Mocked {
  readonly world: World;
  /** How many tasks were asked for, and how many of them were drawn: a dry run of many draws some. */
  readonly asked: number;
  readonly drawn: number;
  /** Seconds that it took to generate. */
  readonly seconds: number;
  readonly coverage: readonly Coverage[];
  readonly excluded: readonly Exclusion[];
  /** Tasks that are nearly those of others. */
  readonly alike: readonly Finding[];
  readonly files: readonly WorldFile[];
  /** The directory that they are in; `null` where they are not written. */
  readonly out: string | null;
}

/** Tasks by intent and split, clauses by tool, refused draws, near duplicates, and what was written. */
export function worldText(mocked: Mocked): string {
  const { world, seconds, coverage, alike, files, out } = mocked;
  const size = files.reduce((sum, { text }) => sum + text.length, 0);
  return [
    splitsTable(mocked),
    coverageTable(coverage),
    refusedTable(mocked),
    duplicatesText(alike),
    `${count(world.certificates.size)} tasks certified in ${
      duration(seconds)
    }; ${count(files.length)} files, ${bytes(size)}${
      out === null ? ", not written" : ` in ${out}`
    }`,
    phrasingText(mocked),
    sampleText(mocked, size),
  ].filter((part) => part !== "").join("\n\n");
}

/** The same for programs. */
export function worldJson(
  { world, seconds, coverage, excluded, alike, asked, drawn }: Mocked,
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
    near_duplicates: alike.length,
    excluded,
  };
}

/** What keeps a policy that starts from noise from scoring on dev and test. */
function phrasingText({ world }: Mocked): string {
  const { options } = world;
  const isHeldOut = typeof options === "object" && options !== null &&
    "holdOutPhrasings" in options && options.holdOutPhrasings === true;
  if (!isHeldOut) return "";
  return "Users of dev and test choose from phrasings that those of train never use, which a policy that starts from noise cannot read; --set holdOutPhrasings=false lets all choose from all.";
}

/** What all tasks come to, where a dry run drew some of them. */
function sampleText({ asked, drawn, seconds }: Mocked, size: number): string {
  if (drawn >= asked) return "";
  const times = asked / drawn;
  return `A dry run draws ${count(drawn)} of ${
    count(asked)
  } tasks; all would take about ${duration(seconds * times)} and ${
    bytes(size * times)
  }.`;
}

/** Tasks that were drawn, those that their certificate refused too. */
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
      `no request is refused by ${clause}: ${why}`
    ),
  ].join("\n");
}

function refusedTable({ world }: Mocked): string {
  if (world.dropped.size === 0) return "";
  const drawn = drawnOf(world);
  return table([
    ["draws refused by their certificate", "draws", "share"],
    ...[...world.dropped].sort(([, a], [, b]) => b - a).map(([why, n]) => [
      why,
      count(n),
      percent(n / drawn),
    ]),
  ]);
}

function duplicatesText(alike: readonly Finding[]): string {
  if (alike.length === 0) return "No two tasks are nearly the same.";
  const shown = alike.slice(0, 5).map(({ taskId, reason }) =>
    `  ${taskId}: ${reason}`
  );
  return `${count(alike.length)} tasks are nearly those of others:\n${
    shown.join("\n")
  }`;
}
