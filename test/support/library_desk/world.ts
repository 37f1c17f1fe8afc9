/** Generates worlds of the library: readers with two books each and, by default, five tasks. */

import { z } from "zod";
import type { Table } from "../../../env/database.ts";
import { deskPrompts } from "../../../env/generated/desk_prompts.ts";
import {
  type Drawn,
  drawTasks,
  happens,
  Ids,
  taskOf,
  type TaskPlace,
} from "../../../env/generated/draw.ts";
import { goalProse } from "../../../env/generated/goal_prose.ts";
import { text, tool } from "../../../env/generated/tool_schema.ts";
import { positive, share, taskKnobs } from "../../../env/generated/knobs.ts";
import type {
  BatchPlace,
  TaskBatch,
  WorldDraw,
  WorldPart,
} from "../../../env/generated/world.ts";
import type {
  JsonObject,
  JsonValue,
} from "../../../env/python/python_value.ts";
import type { Rng } from "../../../env/random.ts";
import { call, type LibraryRequest } from "./goals.ts";
import { wordsOf } from "./user.ts";

const book_id = text("Id of the book, such as B12345");

/** The schema of the options for generating the library. */
export const libraryOptions = z.strictObject({
  ...taskKnobs,
  trainTasks: positive.default(3).describe("Tasks in the train split"),
  devTasks: positive.default(1).describe("Tasks in the dev split"),
  testTasks: positive.default(1).describe("Tasks in the test split"),
  questionShare: share.default(0.2).describe("Share of requests to be told"),
  refusedShare: share.default(0.2).describe("Share of books on hold"),
});

type LibraryOptions = z.output<typeof libraryOptions>;

const POLICY = `# A library's desk
Ask for the card number first, and look the reader up.
Look a book up before anything is done about it or said of it.
Renew a book after the reader has said yes; only the reader who has it may renew it.
A book that is on hold for somebody cannot be renewed: say that it is on hold.
`;

const FIRST = ["green", "silent", "broken", "golden", "hidden", "winter"];
const SECOND = ["harbour", "garden", "letter", "mountain", "mirror", "orchard"];

interface Reader {
  readonly userId: string;
  readonly books: {
    readonly id: string;
    readonly title: string;
    readonly status: string;
    readonly due: string;
  }[];
}

/** The `world` part of the library domain, which generates worlds. */
export const libraryWorld = {
  options: libraryOptions,
  version: 1,
  policy: POLICY,
  tools: [
    tool("get_user_details", "Shows a reader and their books.", {
      user_id: text("Number of the card"),
    }),
    tool("get_book_details", "Shows a book: title, status, due.", { book_id }),
    tool("renew_book", "Renews a book for three weeks.", { book_id }),
  ],
  terminatingTools: [],
  prompts: deskPrompts({
    agent: "a library's desk",
    question: "May I have your card number?",
    call: `{"name": "get_book_details", "arguments": {"book_id": "B12345"}}`,
  }),
  open: (_seed: number, options: LibraryOptions) => new LibraryDraw(options),
} satisfies WorldPart<LibraryOptions>;

class LibraryDraw implements WorldDraw {
  readonly #options: LibraryOptions;
  readonly #ids = new Ids();

  constructor(options: LibraryOptions) {
    this.#options = options;
  }

  begin(place: BatchPlace, rng: Rng) {
    const kinds = Array.from({ length: place.count }, () => ({
      isQuestion: happens(rng, this.#options.questionShare),
      isRefused: happens(rng, this.#options.refusedShare),
    }));
    return {
      about: "books",
      advice: "lower refusedShare",
      draw: () => {
        const titles = rng.shuffle(
          FIRST.flatMap((one) => SECOND.map((two) => `the ${one} ${two}`)),
        );
        const reader: Reader = {
          userId: this.#ids.draw(rng, { prefix: "card", digits: 4 }),
          books: [],
        };
        const add = (status: string) => {
          const id = this.#ids.draw(rng, { prefix: "B", digits: 5 });
          const due = `2026-03-${10 + rng.int(20)}`;
          const book = { id, title: titles.pop() ?? "", status, due };
          reader.books.push(book);
          return book;
        };
        const tasks = drawTasks(place, kinds, (one, place) => {
          const isOnHold = one.isRefused && !one.isQuestion;
          const book = add(isOnHold ? "on hold" : "lent");
          return taskIn(place, { reader, book, ...one });
        });
        add("lent");
        return tasks && { place, tasks, rows: reader };
      },
    };
  }

  tables(batches: readonly TaskBatch[]): Map<string, Table> {
    const readers = batches.map(({ rows }) => rows as Reader);
    return new Map<string, Table>([
      [
        "users",
        new Map(readers.map(({ userId, books }) => [
          userId,
          row({ name: userId, books: books.map(({ id }) => id) }),
        ])),
      ],
      [
        "books",
        new Map(
          readers.flatMap(({ books }) =>
            books.map(({ id, title, status, due }) =>
              [id, row({ title, status, due })] as const
            )
          ),
        ),
      ],
    ]);
  }
}

function taskIn(
  place: TaskPlace,
  { reader: { userId }, book: { id, title, status, due }, isQuestion }: {
    readonly reader: Reader;
    readonly book: Reader["books"][number];
    readonly isQuestion: boolean;
  },
) {
  const refused = !isQuestion && status !== "lent";
  const outputs = isQuestion ? [due] : refused ? [status] : [];
  const request: LibraryRequest = {
    intent: isQuestion ? "question" : "renew",
    title,
    forthcoming: true,
    ...refused && { refused, refusedBy: "renew.free" },
    ...outputs.length > 0 && { outputs },
  };
  const goal = { requests: [request] };
  const drawn: Drawn = {
    request,
    outputs,
    actions: [
      call("get_book_details", "book_id", id),
      ...isQuestion || refused ? [] : [call("renew_book", "book_id", id)],
    ],
  };
  const wish = (one: LibraryRequest) =>
    (one.intent === "question" ? "know the " : "") + wordsOf(one);
  return taskOf({
    place,
    userId,
    goal,
    instruction: goalProse(goal, { who: `Your card is ${userId}.`, wish }),
    first: call("get_user_details", "user_id", userId),
    drawn: [drawn],
  });
}

function row(fields: Readonly<Record<string, JsonValue>>): JsonObject {
  return new Map(Object.entries(fields));
}
