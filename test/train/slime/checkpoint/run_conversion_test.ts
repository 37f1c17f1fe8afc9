import { deepStrictEqual, match, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import { ConfigError, DataError, HostError } from "../../../../env/errors.ts";
import {
  type ConversionRequest,
  runConversion,
  runVerification,
} from "../../../../train/slime/checkpoint/run_conversion.ts";
import {
  type ConverterWorld,
  exists,
  inWorld,
} from "../../../support/converter.ts";

function requestOf(
  { slime, hf, out }: ConverterWorld,
  change: Partial<ConversionRequest> = {},
): ConversionRequest {
  return {
    from: hf,
    to: out,
    origin: undefined,
    model: undefined,
    paths: { slime: slime.dir, megatron: slime.dir, python: "sh" },
    host: undefined,
    here: undefined,
    gpus: undefined,
    force: false,
    verify: true,
    ...change,
  };
}

async function stateOf(request: ConversionRequest): Promise<string> {
  return (await runConversion(request)).state;
}

Deno.test("runConversion() converts the checkpoint that the tracker names back to Hugging Face's format", async () => {
  await inWorld(async (world) => {
    const { hf, megatron, release, out, slime } = world;
    await slime.prepare(hf);
    const here = { name: "this", ssh: { options: {} }, venv: hf };
    const back = requestOf(world, { from: megatron, origin: hf, here });
    deepStrictEqual(await stateOf(back), "converted");
    const [call] = await slime.calls();
    match(
      call!,
      new RegExp(
        `--input-dir ${release} --output-dir ${out}.converting --origin-hf-dir ${hf}$`,
      ),
    );
    ok(await exists(join(out, "config.json")));
  });
});

Deno.test("runConversion() catches a converter that omits a tensor, and discards its result", async () => {
  await inWorld(async (world) => {
    const { out, slime, forgetful, megatron } = world;
    await slime.prepare(forgetful);
    await rejects(runConversion(requestOf(world)), (error) => {
      ok(error instanceof DataError);
      match(
        error.message,
        /The converted checkpoint in .* does not match the model/,
      );
      match(
        error.message,
        /linear_proj.weight" is missing.*trains from random values/,
      );
      return true;
    });
    ok(!await exists(out));
    await slime.prepare(megatron);
    deepStrictEqual(await stateOf(requestOf(world)), "converted");
  });
});

Deno.test("runConversion() explains a failed tool, and starts over", async () => {
  await inWorld(async (world) => {
    const { out, slime, megatron } = world;
    await slime.prepare(megatron, "fail");
    await rejects(runConversion(requestOf(world)), (error) => {
      ok(error instanceof HostError);
      match(
        String(error),
        /lacks a tensor\n[^]*; find the tensor with "deno task convert --verify/,
      );
      match(String(error), /does not contain 'lm_head'/);
      return true;
    });
    ok(await exists(join(`${out}.converting`, "half")));
    await slime.prepare(megatron);
    deepStrictEqual(await stateOf(requestOf(world)), "converted");
    ok(!await exists(join(out, "half")));
  });
});

Deno.test("runConversion() adopts the complete result of an earlier attempt, and restores a target that it had moved aside", async () => {
  await inWorld(async (world) => {
    const { out, slime, megatron } = world;
    await Deno.mkdir(join(out, ".."));
    await Deno.rename(megatron, `${out}.converting`);
    deepStrictEqual(await stateOf(requestOf(world)), "adopted");
    await Deno.rename(out, `${out}.replaced`);
    deepStrictEqual(await stateOf(requestOf(world)), "up_to_date");
    deepStrictEqual(await slime.calls(), []);
  });
});

Deno.test("runConversion() does not replace a different target without --force", async () => {
  await inWorld(async (world) => {
    const { slime, forgetful } = world;
    const request = requestOf(world, { to: forgetful });
    await rejects(runConversion(request), (error) => {
      ok(error instanceof ConfigError);
      match(
        String(error),
        /already exists and differs from [^]*; .*--force/,
      );
      return true;
    });
    deepStrictEqual(await slime.calls(), []);
    const forced = { ...request, force: true };
    deepStrictEqual(await stateOf(forced), "converted");
    ok((await runVerification(request)).equal);
    ok(!await exists(`${forgetful}.replaced`));
  });
});
