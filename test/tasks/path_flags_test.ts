/** Checks that each flag for a file, a directory or a run declares which of its values are paths. */

import assert from "node:assert/strict";
import { z } from "zod";
import project from "../../deno.json" with { type: "json" };
import { setupSettings } from "../../train/slime/setup/setup_options.ts";
import type { FlagMeta, TaskDefinition } from "../../tasks/_cli.ts";

/**
 * Flags that take paths on a host. If no host is given, `convertRequest()` resolves the paths of `convert` against the
 * caller's directory.
 */
const OF_HOSTS = [
  ...["convert --from", "convert --to", "convert --origin"],
  ...Object.keys(setupSettings.shape).map((key) => `setup --${key}`),
];

function metaOf(schema: z.ZodType): FlagMeta {
  let base = schema;
  let meta = { ...schema.meta() } as FlagMeta;
  while (base instanceof z.ZodOptional || base instanceof z.ZodDefault) {
    base = base.unwrap() as z.ZodType;
    meta = { ...base.meta(), ...meta };
  }
  return meta;
}

Deno.test("every flag for a file, a directory or a run resolves the caller's paths", async () => {
  const named = Object.values(project.tasks)
    .flatMap(({ command }) =>
      /tasks\/(?!build_wasm)\w+\.ts$/.exec(command) ?? []
    );
  assert.ok(named.length > 10);
  let flags = 0;
  for (const module of named) {
    const { task } = await import(`../../${module}`) as {
      task: TaskDefinition<z.ZodObject>;
    };
    for (const [key, schema] of Object.entries(task.flags.shape)) {
      const { value, isPath } = metaOf(schema as z.ZodType);
      if (!/^(.*\|)?(FILE|DIR|RUN|RUN_DIR)$/.test(value ?? "")) continue;
      flags++;
      const name = `${task.name} --${key}`;
      assert.equal(isPath !== undefined, !OF_HOSTS.includes(name), name);
      if (isPath !== undefined) assert.equal(isPath("./a/b"), true, name);
    }
    const { operands } = task;
    if (operands !== undefined && /RUN|FILE/.test(operands.name)) {
      assert.equal(operands.isPath?.("./a/b"), true, task.name);
    }
  }
  assert.ok(flags > 25, `${flags} flags`);
});
