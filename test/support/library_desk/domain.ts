/** Defines a library, the smallest domain that has every part. It has three tools and two tables. */

import { z } from "zod";
import { defineDomain } from "../../../env/domain.ts";
import { findId, printFound } from "../../../env/domains/shared/lookup.ts";
import { text } from "../../../env/domains/shared/read_row.ts";
import { getUserDetails } from "../../../env/domains/shared/tools/get_user_details.ts";
import { ToolError } from "../../../env/errors.ts";
import { defineTool } from "../../../env/tool.ts";
import { serveReader } from "./expert.ts";
import { libraryGoals } from "./goals.ts";
import { reader } from "./user.ts";
import { libraryWorld } from "./world.ts";

const BOOK = { table: "books", noun: "book" };

const getBookDetails = defineTool({
  name: "get_book_details",
  parameters: ["book_id"],
  run: (database, { book_id }) => printFound(database, BOOK, book_id),
});

const renewBook = defineTool({
  name: "renew_book",
  parameters: ["book_id"],
  run(database, { book_id }) {
    const id = findId(database, BOOK, book_id);
    const book = database.edit("books", id);
    if (book === undefined) throw new ToolError("book not found");
    const due = Date.parse(text(book, "due")) + 21 * 86_400_000;
    book.set("due", new Date(due).toISOString().slice(0, 10));
    return printFound(database, BOOK, id);
  },
});

/** The library domain. Its benchmark is not τ-bench, so records must name the benchmark. */
export const library = defineDomain({
  benchmark: "desks",
  name: "library",
  rowSchemas: new Map<string, z.ZodType>([
    ["users", z.object({ name: z.string(), books: z.array(z.string()) })],
    [
      "books",
      z.object({ title: z.string(), status: z.string(), due: z.iso.date() }),
    ],
  ]),
  tools: [getUserDetails, getBookDetails, renewBook],
  rows: {
    owned: [{
      table: "books",
      argument: "book_id",
      noun: "book",
      id: /\bB\d{5}\b/g,
    }],
    open: [],
    ids: [/\bb\d{5}\b/gi],
  },
  policy: {
    clauses: [
      {
        id: "renew.own",
        tools: ["renew_book"],
        text: "Only the reader who has a book may renew it.",
        breaks: ({ args, userId, row }) =>
          row("users", userId).books.includes(args.book_id)
            ? null
            : `${userId} does not have ${args.book_id}`,
      },
      {
        id: "renew.free",
        tools: ["renew_book"],
        text: "A book that is on hold for somebody cannot be renewed.",
        breaks({ args, row }) {
          const { status } = row("books", args.book_id);
          return status === "lent" ? null : `${args.book_id} is ${status}`;
        },
      },
    ],
    untested: { "renew.own": "readers name books that they have" },
  },
  goals: libraryGoals,
  scriptedUser: reader,
  expert: serveReader,
  world: libraryWorld,
});
