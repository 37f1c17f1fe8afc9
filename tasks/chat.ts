/** `deno task chat`: plays a task in which you are the user, and a trained policy or the expert is the agent. */

import { watchedAgent } from "../env/agents/watched.ts";
import { createEnvironment } from "../env/environment.ts";
import { rollout } from "../env/rollout.ts";
import {
  type CallOptions,
  STAND_IN,
  STOP,
  type Task,
  type User,
  type UserHeard,
} from "../env/types.ts";
import { humanUser, lineReader } from "../env/users/human.ts";
import {
  type ChatFlags,
  chatFlags,
  type Counterpart,
  openCounterpart,
  taskOf,
} from "./_chat_flags.ts";
import {
  ChatView,
  type Outcome,
  outcomeText,
  reasonsOf,
  turnJson,
} from "./_chat_view.ts";
import { EXIT, main, type TaskContext, type TaskResult } from "./_cli.ts";

async function run(
  flags: ChatFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const { terminal, signal } = context;
  terminal.progress("loading the agent");
  await using counterpart = await openCounterpart(flags);
  const task = taskOf(counterpart.dataset, flags);
  signal.throwIfAborted();
  terminal.endProgress();
  terminal.note(
    `${task.id}: you are talking to ${counterpart.description}; Ctrl-D ends the conversation`,
  );
  const outcome = await converse(task, { counterpart, flags, context });
  terminal.talk("\n");
  terminal.print(outcomeText(outcome));
  return {
    json: toJson(outcome, { task, counterpart, flags }),
    exitCode: outcome.failure === null ? EXIT.done : EXIT.failed,
  };
}

interface Setting {
  readonly counterpart: Counterpart;
  readonly flags: ChatFlags;
  readonly context: TaskContext;
}

async function converse(
  task: Task,
  { counterpart, flags, context: { terminal, signal } }: Setting,
): Promise<Outcome> {
  const { agent, dataset } = counterpart;
  const view = new ChatView(terminal, { echoes: Deno.stdin.isTerminal() });
  const user = humanUser({
    readLine: view.prompting(lineReader(Deno.stdin.readable)),
    write: (text, what) => view.write(text, what),
    ...dataset.rules && { tools: dataset.rules.userTools },
  })(task, flags);
  const opening = await user.open({ signal });
  if (opening.includes(STOP)) {
    // If the user leaves without a message, the initial state is scored.
    const left = createEnvironment({ dataset, task, user, judge: STAND_IN });
    const reward = await left.judgedReward?.() ?? left.reward();
    return { stopReason: "user_stop", reward, turns: [], failure: null };
  }
  const { act } = user;
  let isOpen = false;
  const opened: User = {
    open: () => Promise.resolve(opening),
    reply: user.reply.bind(user),
    ...act && {
      act(heard: UserHeard, options?: CallOptions) {
        if (isOpen) return act(heard, options);
        isOpen = true;
        return Promise.resolve({ content: opening, toolCalls: [] });
      },
    },
  };
  return await rollout({
    dataset,
    task,
    agent: watchedAgent(agent, {
      onTurn: (turn) => view.turn(turn),
      onParseError: (message) => view.parseError(message),
    }),
    user: () => opened,
    userName: "human",
    judge: STAND_IN,
    seed: flags.seed,
    ...dataset.rules && { maxTurns: dataset.rules.maxTurns },
    // A person would have to repeat the whole conversation.
    retries: 0,
    now: () => performance.timeOrigin + performance.now(),
    signal,
  });
}

function toJson(
  outcome: Outcome,
  { task, counterpart, flags }: Omit<Setting, "context"> & { task: Task },
): Record<string, unknown> {
  const { agent } = counterpart;
  return {
    task: task.id,
    instruction: task.instruction,
    agent: agent.name,
    model: agent.model ?? agent.name,
    seed: flags.seed,
    reward: outcome.reward?.value ?? null,
    reasons: reasonsOf(outcome),
    differences: outcome.reward?.differences ?? [],
    missing_outputs: outcome.reward?.missingOutputs ?? [],
    stop_reason: outcome.stopReason,
    turns: outcome.turns.map(turnJson),
  };
}

export const task = await main(import.meta, {
  name: "chat",
  summary:
    "Play the user of a task: talk to a trained policy or to the expert, and see the reward",
  flags: chatFlags,
  examples: [
    {
      command: "deno task chat",
      does:
        "talk to the most recent completed run's policy about the first test task",
    },
    {
      command: "deno task chat --policy a1 --task 7 --temperature 1",
      does: "talk to the policy of runs/a1 about task 7, with sampled answers",
    },
    {
      command:
        "deno task chat --agent expert --data tau3-bench --tau3-bench DIR --env airline",
      does: "talk to the expert about an airline task of τ³-bench",
    },
    {
      command: "deno task chat --agent expert --split dev",
      does:
        "talk to the expert about a dev task; it understands only the scripted user's phrasings",
    },
  ],
  interruptNote: "Stopped; the conversation is not scored",
  run,
});
