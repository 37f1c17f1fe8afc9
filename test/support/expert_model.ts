/** Starts a model server that replays the expert's episodes. It recognizes an episode by the user's first message. */

import { expertAgent } from "../../env/agents/expert.ts";
import { printPythonJson } from "../../env/python/python_json.ts";
import { rollout } from "../../env/rollout.ts";
import type { Action, Dataset, Split } from "../../env/types.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import { chatAnswer, type ModelServer, modelServer } from "./model_server.ts";

/** Starts a model server that replays the expert's episodes on the tasks of a split, for one seed. */
export async function expertModel(
  dataset: Dataset,
  { split, seed }: { readonly split: Split; readonly seed: number },
): Promise<ModelServer> {
  const episodes = await Promise.all(
    dataset.tasks(split).map((task) =>
      rollout({
        ...{ dataset, task, seed },
        agent: expertAgent(),
        user: scriptedUser(dataset),
      })
    ),
  );
  const byFirst = new Map(
    episodes.map(({ messages, turns }) => [
      messages.find(({ role }) => role === "user")!.content,
      turns,
    ]),
  );
  return modelServer({
    answer({ body: { messages } }) {
      const of = (role: string) =>
        messages.filter((message: { role: string }) => message.role === role);
      const turns = byFirst.get(of("user")[0].content);
      const turn = turns?.[of("assistant").length];
      if (turn === undefined) return new Response("lost", { status: 400 });
      return {
        ...said(turn.action),
        id: "chatcmpl-1",
        created: 1,
        model: "expert",
        usage: { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 },
      };
    },
  });
}

function said(action: Action): object {
  const { name, arguments: args } = action.type === "tool"
    ? action.call
    : { name: "", arguments: new Map() };
  return (action.type === "respond"
    ? chatAnswer(action.content)
    : chatAnswer(null, { name, arguments: printPythonJson(args) })) as object;
}
