/** What a container that commands run in is like, by its engine. */

import { z } from "zod";
import { HostError } from "../../../env/errors.ts";
import type { CallOptions } from "../../../env/types.ts";
import { parseJson } from "../../runs/versions.ts";
import { containerFault } from "../hosts/container_fault.ts";
import { type ContainerPlace, wordsWithin } from "../hosts/place.ts";
import { quoteWords, type Shell } from "../hosts/shell.ts";

const reportSchema = z.object({
  /** `host` where it has its host's: Ray and the episode servers are reached through that. */
  network: z.string(),
  mounts: z.array(z.looseObject({ Destination: z.string() })),
});

/** A container. */
export interface ContainerReport {
  /** `host` where it shares its host's. */
  readonly network: string;
  /** Directories in it that are not its own, and outlive it. */
  readonly mounts: readonly string[];
}

const FORMAT =
  '{"network": "{{.HostConfig.NetworkMode}}", "mounts": {{json .Mounts}}}';

/**
 * Asks the engine.
 * @param outside The shell of the container's host.
 * @throws {HostError} If there is no such container, or its engine does not answer.
 */
export async function reportOf(
  place: ContainerPlace,
  { outside, signal }: CallOptions & { readonly outside: Shell },
): Promise<ContainerReport> {
  const { engine, name } = place;
  const script = quoteWords([
    ...[engine, "container", "inspect", "-f", FORMAT, name],
  ]);
  const { code, stdout, stderr } = await outside.run({ script }, { signal });
  const parsed = reportSchema.safeParse(parseJson(stdout));
  if (code === 0 && parsed.success) {
    const { network, mounts } = parsed.data;
    return { network, mounts: mounts.map(({ Destination }) => Destination) };
  }
  const lost = { said: stderr, status: code, began: false };
  const fault = containerFault(lost, wordsWithin(place));
  throw new HostError(
    `${outside.name}: ${
      fault?.reason ?? `${engine} does not say what ${name} is`
    }`,
    {
      hint: `${fault?.hint ?? `try by hand: ${script}`}\n${stderr.trim()}`,
      isDown: fault?.isDown ?? false,
    },
  );
}
