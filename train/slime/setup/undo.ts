/** Takes away what set-ups have made, by the hosts' manifests, the last first. */

import { HostError, messageOf } from "../../../env/errors.ts";
import { type HostShells, openHost } from "../hosts/host_shells.ts";
import type { Shell } from "../hosts/shell.ts";
import { type UndoStep, undoStep } from "./undo_step.ts";
import { type Entry, type Manifest, withoutEntry } from "./manifest.ts";
import type { HostPlan } from "./setup_plan.ts";
import type { SetupContext } from "./run_setup.ts";
import { checkStep } from "./run_step.ts";
import { openSession, readManifest, type Session } from "./setup_session.ts";

/** What became of one thing: `would` is what `dryRun` says of what may go. */
export interface UndoReport {
  readonly step: string;
  readonly title: string;
  readonly state: "undone" | "would" | "gone" | "refused" | "failed";
  readonly detail: string;
}

/** A host after undoing. */
export interface HostUndoReport {
  readonly host: string;
  readonly things: readonly UndoReport[];
  readonly error?: string;
}

/** What is to be undone. */
export interface UndoOptions extends SetupContext {
  /** Only what these steps made; all where empty. */
  readonly only: readonly string[];
  /** Looks, and says what would go. */
  readonly dryRun: boolean;
}

/** Undoes on all hosts at once. What was changed since stays, and is told; the rest goes. */
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
    ? { state: "done", detail: "its container is gone" } as const
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

/** Commands run in a container or virtual environment no more once it is gone, and nowhere but on the host itself once all is. */
function withoutPlace(manifest: Manifest, { made }: Entry): Manifest {
  const { place, entries } = manifest;
  const isGone = entries.length === 0 ||
    place?.kind === "container" && made.kind === "container" &&
      place.name === made.name ||
    place?.kind === "venv" && made.kind === "venv" && place.dir === made.dir;
  return isGone ? { entries } : manifest;
}

/**
 * Where a thing is. What was made in a container that is gone is gone with it, but for downloads: these are in
 * directories of the host, by the same path.
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
      `${shell.name}: undoing ${step}: code ${code} from: ${script}\n${stderr.trim()}`,
    );
  }
}
