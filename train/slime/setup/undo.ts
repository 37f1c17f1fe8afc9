/** Undoes setup on hosts according to their manifests, starting with the last step. */

import { HostError, messageOf } from "../../../env/errors.ts";
import { type HostShells, openHost } from "../hosts/host_shells.ts";
import type { Shell } from "../hosts/shell.ts";
import { type UndoStep, undoStep } from "./undo_step.ts";
import { type Entry, type Manifest, withoutEntry } from "./manifest.ts";
import type { HostPlan } from "./setup_plan.ts";
import type { SetupContext } from "./run_setup.ts";
import { checkStep } from "./run_step.ts";
import { openSession, readManifest, type Session } from "./setup_session.ts";

/**
 * The result for one item that setup created. In a dry run, `would` means that the item can be removed. `gone` means
 * that it no longer existed, and `refused` that it is kept.
 */
export interface UndoReport {
  readonly step: string;
  readonly title: string;
  readonly state: "undone" | "would" | "gone" | "refused" | "failed";
  readonly detail: string;
}

/** The result of undoing setup on one host. */
export interface HostUndoReport {
  readonly host: string;
  readonly things: readonly UndoReport[];
  readonly error?: string;
}

/** Options for {@linkcode undoSetup}. */
export interface UndoOptions extends SetupContext {
  /** The steps to undo; empty for all steps. */
  readonly only: readonly string[];
  /** Whether to only report what would be removed. */
  readonly dryRun: boolean;
}

/**
 * Undoes setup on all hosts concurrently. Checkouts, downloads and taulab's files are kept and reported if they have
 * changed since setup.
 */
export function undoSetup(
  plans: readonly HostPlan[],
  options: UndoOptions,
): Promise<HostUndoReport[]> {
  return Promise.all(plans.map((plan) => undoHost(plan, options)));
}

async function undoHost(
  plan: HostPlan,
  options: UndoOptions,
): Promise<HostUndoReport> {
  const things: UndoReport[] = [];
  const host = plan.name;
  try {
    await using shells = openHost(plan.host);
    await using session = options.dryRun
      ? null
      : await openSession(shells, { ...options, plan });
    const manifest = session?.manifest ??
      await readManifest(shells.host, { ...plan, ...options });
    for (const entry of chosen(manifest, options)) {
      things.push(await undoEntry(entry, { shells, options, session }));
    }
    return { host, things };
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError) throw error;
    const { aborted } = options.signal;
    return { host, things, error: aborted ? "stopped" : messageOf(error) };
  }
}

function chosen(manifest: Manifest, { only }: UndoOptions): Entry[] {
  return manifest.entries.filter(({ step }) =>
    only.length === 0 || only.includes(step)
  )
    .toReversed();
}

async function undoEntry(
  entry: Entry,
  { shells, options, session }: {
    readonly shells: HostShells;
    readonly options: UndoOptions;
    readonly session: Session | null;
  },
): Promise<UndoReport> {
  const undo = undoStep(entry);
  const { step } = entry;
  const { title } = undo;
  const shell = await shellOf(entry, { shells, options });
  const { state, detail } = shell === undefined
    ? { state: "done", detail: "its container no longer exists" } as const
    : await checkStep({ id: step, check: undo.check }, shell, options);
  if (state === "refused") return { step, title, state, detail };
  if (!session) {
    return { step, title, state: state === "done" ? "gone" : "would", detail };
  }
  if (shell && state === "todo") await runAll(undo, { shell, step, options });
  await session.save(
    withoutPlace(withoutEntry(session.manifest, entry), entry),
  );
  return { step, title, state: state === "done" ? "gone" : "undone", detail };
}

/**
 * Returns the manifest without its place if the place's container or virtual environment was removed, or if no entries
 * are left. Otherwise, returns the manifest unchanged.
 */
function withoutPlace(manifest: Manifest, { made }: Entry): Manifest {
  const { place, entries } = manifest;
  const isGone = entries.length === 0 ||
    place?.kind === "container" && made.kind === "container" &&
      place.name === made.name ||
    place?.kind === "venv" && made.kind === "venv" && place.dir === made.dir;
  return isGone ? { entries } : manifest;
}

/**
 * Returns the shell in which to check and remove the item that an entry records; `undefined` if the item was removed
 * together with its container. Downloads outlive their container, because they are in directories that have the same
 * path on the host.
 */
async function shellOf(
  { within, made }: Entry,
  { shells, options: { signal } }: {
    readonly shells: HostShells;
    readonly options: UndoOptions;
  },
): Promise<Shell | undefined> {
  if (within.length === 0) return shells.host;
  const [engine, , , name] = within as [string, string, string, string];
  const { code } = await shells.host.run({
    script: `${engine} container inspect ${name} >/dev/null 2>&1`,
  }, { signal });
  if (code === 0) return shells.within(within);
  return made.kind === "download" ? shells.host : undefined;
}

async function runAll(
  { commands }: UndoStep,
  { shell, step, options: { signal } }: {
    readonly shell: Shell;
    readonly step: string;
    readonly options: UndoOptions;
  },
): Promise<void> {
  for (const script of commands) {
    const { code, stderr } = await shell.run({ script }, { signal });
    if (code === 0) continue;
    throw new HostError(
      `${shell.name}: undoing ${step} failed: exit status ${code} from: ${script}\n${stderr.trim()}`,
    );
  }
}
