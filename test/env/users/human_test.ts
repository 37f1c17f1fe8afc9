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

Deno.test("humanUser() shows the task, then what the agent says", async () => {
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

Deno.test("lineReader() rejects when it is aborted, and loses no line by it", async () => {
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
