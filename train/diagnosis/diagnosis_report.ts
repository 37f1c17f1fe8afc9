/** The summary of a run's diagnoses: faults, decisive errors, and agreement between the rules and a judge. */

import type { Diagnosis, FaultyParty } from "../../env/diagnosis/diagnose.ts";
import type { StoredEpisode } from "../runs/episode_store.ts";
import type { RunEpisode } from "../runs/run_episodes.ts";
import type { Verdict } from "./judge.ts";

/** The parts of an episode that a diagnosis needs. The episode may come from a run or from a result file. */
export interface DiagnosableEpisode
  extends Pick<RunEpisode, "task" | "stopReason" | "turns"> {
  readonly record:
    & Pick<
      StoredEpisode,
      "id" | "step" | "source" | "reward" | "reason" | "failure" | "findings"
    >
    & Partial<Pick<StoredEpisode, "rewardDetail">>;
}

/** A failed episode with its diagnosis. */
export interface Diagnosed<E extends DiagnosableEpisode = DiagnosableEpisode> {
  readonly episode: E;
  readonly diagnosis: Diagnosis;
  /**
   * The judge's verdict. Missing if no judge was asked about the episode; `null` if the judge could not be reached or
   * its answer could not be understood.
   */
  readonly verdict?: Verdict | null;
}

/** Agreement between the rules and a judge. */
export interface Agreement {
  /** The number of episodes in which both the rules and the judge name the party at fault. */
  readonly both: number;
  /**
   * The share of the episodes counted in {@linkcode Agreement.both} in which the rules and the judge name the same
   * party; 0 if `both` is 0.
   */
  readonly share: number;
  /**
   * Cohen's kappa: 0 means agreement by chance, and 1 means full agreement; `null` if `both` is 0, or if the rules and
   * the judge name one and the same party in all of these episodes.
   */
  readonly kappa: number | null;
  /** `table[a][b]` is the number of episodes in which the rules name the party `a` and the judge names `b`. */
  readonly table: Readonly<Record<Party, Readonly<Record<Party, number>>>>;
  /** The number of episodes for which the judge could not be reached or understood. */
  readonly unreadable: number;
}

/**
 * The parties that a judge can name. Faults in the gold actions and faults of infrastructure count as faults of the
 * environment.
 */
type Party = Verdict["fault"];

const PARTIES: readonly Party[] = ["agent", "user", "environment"];

/** Counts of a run's diagnoses. */
export interface DiagnosisReport {
  readonly failed: number;
  readonly faults: Readonly<Record<FaultyParty, number>>;
  /**
   * The number of diagnoses decided by each rule, most frequent first. The party at fault precedes the rule: `agent:
   * the agent ran out of tokens`.
   */
  readonly rules: readonly (readonly [string, number])[];
  /**
   * The number of diagnoses with each decisive error, most frequent first. Examples of errors are `write
   * modify_pending_order_items`, `ending` and `untold`.
   */
  readonly decisive: readonly (readonly [string, number])[];
  /** How often the rules and the judge agree; `null` if no judge was asked. */
  readonly agreement: Agreement | null;
}

/** Summarizes diagnoses. */
export function diagnosisReport(all: readonly Diagnosed[]): DiagnosisReport {
  const faults = { agent: 0, user: 0, infrastructure: 0, gold: 0, unknown: 0 };
  for (const { diagnosis: { fault } } of all) {
    if (fault !== null) faults[fault.by]++;
  }
  const judged = all.some(({ verdict }) => verdict !== undefined);
  return {
    failed: all.length,
    faults,
    rules: counted(
      all.flatMap(({ diagnosis: { fault } }) =>
        fault === null ? [] : [`${fault.by}: ${fault.rule}`]
      ),
    ),
    decisive: counted(all.map(({ diagnosis }) => decisiveText(diagnosis))),
    agreement: judged ? agreementOf(all) : null,
  };
}

/**
 * Returns the kind of the decisive error, with the tool if it is a write; `infrastructure` if there is no decisive
 * error.
 */
export function decisiveText({ decisive }: Diagnosis): string {
  if (decisive === null) return "infrastructure";
  return decisive.kind === "write"
    ? `write ${decisive.action.name}`
    : decisive.kind;
}

function counted(words: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}

/**
 * Computes the agreement between the rules and the judge.
 * @see Cohen 1960, "A coefficient of agreement for nominal scales".
 */
function agreementOf(all: readonly Diagnosed[]): Agreement {
  const zero = () => ({ agent: 0, user: 0, environment: 0 });
  const table: Record<Party, Record<Party, number>> = {
    agent: zero(),
    user: zero(),
    environment: zero(),
  };
  let [both, same, unreadable] = [0, 0, 0];
  for (const { diagnosis, verdict } of all) {
    if (verdict === null) unreadable++;
    const rule = partyOf(diagnosis);
    if (!verdict || rule === null) continue;
    both++;
    table[rule][verdict.fault]++;
    if (rule === verdict.fault) same++;
  }
  const share = both === 0 ? 0 : same / both;
  const chance = PARTIES.reduce((sum, party) => {
    const byRule = PARTIES.reduce((n, other) => n + table[party][other], 0);
    const byJudge = PARTIES.reduce((n, other) => n + table[other][party], 0);
    return sum + (byRule / both) * (byJudge / both);
  }, 0);
  const kappa = both === 0 || chance === 1
    ? null
    : (share - chance) / (1 - chance);
  return { both, share, kappa, table, unreadable };
}

function partyOf({ fault }: Diagnosis): Party | null {
  switch (fault?.by) {
    case "agent":
    case "user":
      return fault.by;
    case "gold":
    case "infrastructure":
      return "environment";
    default:
      return null;
  }
}
