/** Describes the container that commands run in, according to its engine. */

import { z } from "zod";
import { HostError } from "../../../env/errors.ts";
import type { CallOptions } from "../../../env/types.ts";
import { parseJson } from "../../runs/versions.ts";
import { containerFault } from "../hosts/container_fault.ts";
import { type ContainerPlace, wordsWithin } from "../hosts/place.ts";
import { quoteWords, type Shell } from "../hosts/shell.ts";

const reportSchema = z.object({
  /** `host` if it shares its host's network, through which Ray and the episode servers are reached. */
  network: z.string(),
  mounts: z.array(z.looseObject({ Destination: z.string() })),
});

/** The description of a container. */
export interface ContainerReport {
  /** `host` if it shares its host's network. */
  readonly network: string;
  /** Directories mounted from outside, which outlive the container. */
  readonly mounts: readonly string[];
}

const FORMAT =
  '{"network": "{{.HostConfig.NetworkMode}}", "mounts": {{json .Mounts}}}';

/**
 * Inspects the container with its engine.
 * @param outside The shell of the container's host.
 * @throws {HostError} If there is no such container, or its engine does not respond.
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
    `${outside.name}: ${fault?.reason ?? `${engine} cannot inspect ${name}`}`,
    {
      hint: `${fault?.hint ?? `run it by hand: ${script}`}\n${stderr.trim()}`,
      isDown: fault?.isDown ?? false,
    },
  );
}
