/**
 * Creates notebook output for taulab's objects: tasks, conversations, episodes, rewards, database changes and
 * diagnoses.
 */

import type { Database } from "../../env/database.ts";
import type { Diagnosis } from "../../env/diagnosis/diagnose.ts";
import { describeRow } from "../../env/reward.ts";
import { printPythonJson } from "../../env/python/python_json.ts";
import { count } from "../../train/progress/amounts.ts";
import type {
  AnsweredCall,
  Episode,
  Reward,
  RewardCheck,
  RowDifference,
  Task,
  ToolAction,
  Turn,
} from "../../env/types.ts";
import { type Html, html } from "./html.ts";
import { Rich, stack, titled } from "./rich.ts";
import { type Cell, table } from "./table.ts";

/** Shows a task: what the user wants, the gold actions, and the required outputs. */
export function showTask(task: Task): Rich {
  const facts: [string, Cell][] = [
    ["task", task.id],
    ["intent", task.intent ?? null],
    ["user", task.userId],
    ["instruction", task.instruction],
    [
      "gold",
      new Rich({
        html: html`${
          task.actions.map((one) => html`<pre>${callText(one)}</pre>`)
        }`,
        text: task.actions.map(callText).join("; "),
      }),
    ],
    ["required outputs", task.outputs.join(", ") || null],
  ];
  return factTable(facts);
}

/** Shows a reward and the reasons for it. The reward is `null` if the infrastructure failed. */
export function showReward(reward: Reward | null): Rich {
  if (reward === null) {
    return new Rich({
      html: html`<p>not scored: infrastructure failure</p>`,
      text: "not scored: infrastructure failure",
    });
  }
  const { value, parts, differences, missingOutputs } = reward;
  const facts: [string, Cell][] = [
    ["reward", mark(value === 1, String(value))],
    [
      "database",
      mark(parts.database === 1, parts.database === 1 ? "right" : "wrong"),
    ],
    ...(parts.outputs === null ? [] : [
      [
        "told",
        mark(
          parts.outputs === 1,
          parts.outputs === 1 ? "all" : `not ${missingOutputs.join(", ")}`,
        ),
      ] as [string, Cell],
    ]),
  ];
  return stack(
    factTable(facts),
    ...(reward.checks === undefined ? [] : [showChecks(reward.checks)]),
    ...(differences.length === 0 ? [] : [showDifferences(differences)]),
  );
}

/** Shows the checks behind a reward. The checks that affect the reward come first. */
function showChecks(checks: readonly RewardCheck[]): Rich {
  return table(
    checks.toSorted((a, b) => Number(b.counts) - Number(a.counts)).map(
      ({ part, counts, what, met, why = null }) => ({
        part: counts ? part : `${part}, not counted`,
        check: what,
        verdict: met === null ? "not judged" : met ? "met" : "not met",
        why,
      }),
    ),
  );
}

/** Shows the database rows that differ from the expected rows. */
export function showDifferences(rows: readonly RowDifference[]): Rich {
  return table(
    rows.flatMap(({ table, id, fields }) =>
      fields.map(({ path, expected, actual }) => ({
        row: `${table} ${id}`,
        field: path,
        "should be": expected,
        is: actual,
      }))
    ),
  );
}

/** Shows the rows that differ between two states of the same database. */
export function showChange(before: Database, after: Database): Rich {
  const records = before.diff(after).map(describeRow).flatMap(
    ({ table, id, fields }) =>
      fields.map(({ path, expected, actual }) => ({
        row: `${table} ${id}`,
        field: path,
        was: expected,
        is: actual,
      })),
  );
  if (records.length > 0) return table(records);
  return new Rich({
    html: html`<p class="dim">the database is unchanged</p>`,
    text: "the database is unchanged",
  });
}

/** Shows a conversation: the user's first message, then each turn. `marked` is the index of the turn to outline. */
export function showTurns(
  turns: readonly Turn[],
  { firstMessage, marked }: {
    readonly firstMessage?: string;
    readonly marked?: number;
  } = {},
): Rich {
  const opening = firstMessage === undefined
    ? []
    : [said("user", "user", firstMessage)];
  return stack(
    ...opening,
    ...turns.map((turn, i) =>
      showTurn(turn, { index: i, marked: i === marked })
    ),
  );
}

/** Shows one turn: the agent's action, the calls that the user made, and the observation. */
export function showTurn(
  { action, observation, openingCalls = [] }: Turn,
  { index, marked = false }: {
    readonly index: number;
    readonly marked?: boolean;
  },
): Rich {
  const did = action.type === "respond"
    ? said("agent", `${index} agent`, action.content, marked)
    : said("agent", `${index} agent calls`, callText(action.call), marked);
  const answer = observation.source === "user"
    ? said("user", "user", observation.content)
    : folded(observation.content);
  const { userCalls = [] } = observation;
  return stack(
    ...openingCalls.flatMap(showUserCall),
    did,
    ...userCalls.flatMap(showUserCall),
    answer,
  );
}

/** Shows a call that the user made with their own tools. */
function showUserCall({ call, content }: AnsweredCall): Rich[] {
  return [said("user", "user calls", callText(call)), folded(content)];
}

/** Shows an agent's answer that could not be parsed as an action, and the reason. */
export function showUnparsed(
  content: string,
  { index, problem }: { readonly index: number; readonly problem: string },
): Rich {
  return stack(
    said("agent", `${index} agent`, content),
    new Rich({
      html: html`<p class="bad">✗ ${problem}</p>`,
      text: `✗ ${problem}`,
    }),
  );
}

/**
 * Shows an episode: how and why it ended, its reward, its diagnosis if there is one, and its conversation. If the first
 * decisive error is a write, its turn is outlined.
 */
export function showEpisode(
  episode: Episode,
  { diagnosis }: { readonly diagnosis?: Diagnosis } = {},
): Rich {
  const first = episode.messages.find(({ role }) => role === "user");
  const decisive = diagnosis?.decisive ?? null;
  const head =
    `${episode.taskId}, ${episode.agent} agent, seed ${episode.seed}: ${episode.stopReason}${
      episode.reason === null ? "" : `, ${episode.reason}`
    }`;
  return stack(
    titled(head, showReward(episode.reward)),
    ...(diagnosis === undefined ? [] : [showDiagnosis(diagnosis)]),
    showTurns(episode.turns, {
      ...(first === undefined ? {} : { firstMessage: first.content }),
      ...(decisive?.kind === "write" ? { marked: decisive.turn } : {}),
    }),
  );
}

/** Shows the first decisive error, and who is at fault according to which rule. */
export function showDiagnosis({ decisive, fault }: Diagnosis): Rich {
  const facts: [string, Cell][] = [
    [
      "first decisive error",
      decisive === null ? "none" : decisiveWords(decisive),
    ],
    [
      "fault",
      fault === null
        ? "none"
        : `${fault.by}: ${fault.rule}${
          fault.evidence === "" ? "" : ` (${fault.evidence})`
        }`,
    ],
  ];
  return factTable(facts);
}

/**
 * Describes the first decisive error. The text names the turn and the action, as in `turn 4, cancel_pending_order {…}`,
 * says what was missing or wrong at the end, or says that the conversation was cut off.
 */
export function decisiveWords(
  decisive: NonNullable<Diagnosis["decisive"]>,
): string {
  switch (decisive.kind) {
    case "write":
      return `turn ${decisive.turn}, ${callText(decisive.action)}`;
    case "ending":
      return decisive.missing.length === 0
        ? `the end: ${
          decisive.unmet?.map(({ what }) => `not met: ${what}`).join("; ") ||
          "rows have wrong values"
        }`
        : `the end: never called ${decisive.missing.map(callText).join("; ")}`;
    case "untold":
      return `the end: never told the user ${decisive.outputs.join(", ")}`;
    case "cut_off":
      return "everything was right, but the conversation was cut off";
  }
}

/** Formats a tool call: `cancel_pending_order {"order_id": "#W1"}`. */
export function callText({ name, arguments: args }: ToolAction): string {
  return `${name} ${printPythonJson(args, { ensureAscii: false })}`;
}

/** Shows names and values as a table with one row per pair. Pairs whose value is `null` are omitted. */
function factTable(facts: readonly (readonly [string, Cell])[]): Rich {
  const shown = facts.filter(([, value]) => value !== null);
  return new Rich({
    html: html`
      <table>
        <tbody>${shown.map(([name, value]) =>
          html`
            <tr>
              <th>${name}</th>
              <td>${value instanceof Rich ? value.html : String(value)}</td>
            </tr>
          `
        )}</tbody>
      </table>
    `,
    text: shown.map(([name, value]) => `${name}: ${value}`).join("\n"),
  });
}

function mark(isRight: boolean, text: string): Rich {
  const markup: Html = isRight
    ? html`<span class="ok">✓ ${text}</span>`
    : html`<span class="bad">✗ ${text}</span>`;
  return new Rich({ html: markup, text });
}

function said(
  role: "agent" | "user" | "tool",
  who: string,
  content: string,
  marked = false,
): Rich {
  const style = marked ? `${role} marked` : role;
  return new Rich({
    html: html`
      <div class="said ${style}">
        <div class="who">${who}${marked ? " – decisive" : ""}</div>
        <div class="words">${content}</div>
      </div>
    `,
    text: `${who}: ${content}`,
  });
}

/** Shows the result of a tool. A long result is folded. */
function folded(content: string): Rich {
  const rich = said("tool", "tool", content);
  if (content.length <= FOLD) return rich;
  const start = content.slice(0, FOLD);
  return new Rich({
    html: html`
      <div class="said tool">
        <div class="who">tool</div>
        <details>
          <summary>${start}… (${count(content.length)} characters)</summary>
          <pre>${content}</pre>
        </details>
      </div>
    `,
    text: rich.text,
  });
}

/** The maximum number of characters of a tool's result that are shown without folding. */
const FOLD = 160;
