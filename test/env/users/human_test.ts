import assert from "node:assert/strict";
import { STOP, type Task } from "../../../env/types.ts";
import { humanUser, lineReader } from "../../../env/users/human.ts";
import { userContract } from "../../contract/user_contract.ts";

const TASK: Task = {
  id: "retail/test/0",
  domain: "retail",
  split: "test",
  index: 0,
  userId: "ada_stone_1234",
  instruction: "You want to cancel your order.",
  actions: [],
  outputs: [],
};

userContract("humanUser()", {
  factory: () =>
    humanUser({
      readLine: lineReader(bytes("hello\nada\n#W1\nbye\n")),
      write: () => {},
    }),
  task: () => TASK,
});

Deno.test("humanUser() shows the task, then the agent's messages", async () => {
  const shown: string[] = [];
  const user = humanUser({
    readLine: lineReader(bytes("hi\n\n  yes \n")),
    write: (text) => shown.push(text),
  })(TASK, { seed: 0 });
  assert.equal(await user.open(), "hi");
  assert.equal(await user.reply("sure?"), "yes");
  assert.match(shown[0] ?? "", /cancel your order/);
  assert.deepEqual(shown.slice(1), ["sure?\n"]);
});

Deno.test("humanUser() with tools calls them by lines with a slash, and asks again if a line is not a valid call", async () => {
  const shown: string[] = [];
  const schema = { name: "set_mode", description: "", parameters: {} };
  const user = humanUser({
    readLine: lineReader(
      bytes('hi\n/set_mode {"mode": "4g"}\n/set_mode {4g\n/reboot\nit works\n'),
    ),
    write: (text) => shown.push(text),
    tools: [{ type: "function", function: schema }],
  })(TASK, { seed: 0 });
  const act = user.act!;
  assert.equal(await user.open(), "hi");
  assert.match(shown[1] ?? "", /\/set_mode/);
  const heard = { type: "message", content: "set it to 4g" } as const;
  const first = await act(heard);
  const call = {
    id: "user_0",
    name: "set_mode",
    arguments: new Map([["mode", "4g"]]),
  };
  assert.deepEqual(first, { content: "", toolCalls: [call] });
  const answer = { call, content: "Error: no signal", error: true };
  const second = await act({ type: "answers", answers: [answer] });
  assert.deepEqual(
    second.toolCalls.map(({ name, arguments: args }) => [name, args.size]),
    [["reboot", 0]],
  );
  const last = await act({ type: "answers", answers: [] });
  assert.deepEqual(last, { content: "it works", toolCalls: [] });
  assert.deepEqual(shown.slice(2).map((text) => text.trim().slice(0, 12)), [
    "set it to 4g",
    "[Error: no s",
    "[write a cal",
  ]);
});

Deno.test("humanUser() stops at the end of the input", async () => {
  const readLine = lineReader(bytes("hi"));
  const user = humanUser({ readLine, write: () => {} })(TASK, { seed: 0 });
  assert.equal(await user.open(), "hi");
  assert.equal(await user.reply("hello"), STOP);
  assert.equal(await user.reply("hello?"), STOP);
});

Deno.test("lineReader() splits lines wherever the chunks end, and decodes across them", async () => {
  const all = new TextEncoder().encode("één\r\ntwo\n\nfour");
  const chunks = [...all].map((byte) => new Uint8Array([byte]));
  const readLine = lineReader(ReadableStream.from(chunks));
  const lines: (string | null)[] = [];
  for (let i = 0; i < 5; i++) lines.push(await readLine());
  assert.deepEqual(lines, ["één", "two", "", "four", null]);
});

Deno.test("lineReader() rejects when aborted, without losing a line", async () => {
  const stream = new TransformStream<Uint8Array, Uint8Array>();
  const readLine = lineReader(stream.readable);
  const controller = new AbortController();
  const waiting = readLine({ signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await assert.rejects(readLine({ signal: controller.signal }), /enough/);
  const writer = stream.writable.getWriter();
  const next = readLine();
  await writer.write(new TextEncoder().encode("still here\n"));
  assert.equal(await next, "still here");
  await writer.close();
  assert.equal(await readLine(), null);
});

function bytes(text: string): ReadableStream<Uint8Array> {
  return ReadableStream.from([new TextEncoder().encode(text)]);
}
