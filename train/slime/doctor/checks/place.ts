/**
 * Checks where each host's commands run: on the host itself, in an existing virtual environment, or in a running
 * container that shares the host's network and directories.
 */

import type { CallOptions } from "../../../../env/types.ts";
import { placeText } from "../../hosts/place.ts";
import { pathWord } from "../../hosts/shell.ts";
import { reportOf } from "../../setup/container_report.ts";
import type { PlacedShell } from "../../setup/placed_shell.ts";
import type { SlimeConfig } from "../../slime_schema.ts";
import {
  type Check,
  type CheckContext,
  fail,
  type Observed,
  onEachHost,
  pass,
  verdict,
  warn,
} from "../check.ts";

/** The `place` check. */
export const check: Check = {
  id: "place",
  order: 15,
  title:
    "commands run where hosts.yaml or deno task setup puts them: in a container on its host's network, in a virtual environment, or on the host itself",
  when: "always",
  run: ({ places, config, signal }) =>
    onEachHost(places, (host) => look(host, { config, signal })),
};

async function look(
  host: PlacedShell,
  { config, signal }: CallOptions & Pick<CheckContext, "config">,
): Promise<readonly Observed[]> {
  const { outside } = host;
  const place = await host.place({ signal });
  const found = `commands run in ${placeText(place)}`;
  if (place.kind === "host") {
    return [pass("commands run in the host's own shell")];
  }
  if (place.kind === "venv") {
    const script = `[ -x ${pathWord(place.dir)}/bin/python ]`;
    const { code } = await outside.run({ script }, { signal });
    return code === 0 ? [pass(found)] : [fail(
      `there is no virtual environment in "${place.dir}"`,
      `create it with "deno task setup --host ${host.name}", or fix "venv" in hosts.yaml`,
    )];
  }
  const { network, mounts } = await reportOf(place, { outside, signal });
  const isMounted = (dir: string) =>
    mounts.some((mount) => dir === mount || dir.startsWith(`${mount}/`));
  const own = directories(config).filter((dir) => !isMounted(dir));
  return verdict(
    [
      ...network === "host" ? [] : [fail(
        `the network of the container ${place.name} is "${network}", but Ray and the episode servers need the host's network`,
        'create the container again with --network host, as "deno task setup" does',
      )],
      ...own.length === 0 ? [] : [warn(
        `the container ${place.name} does not mount ${
          own.join(", ")
        }: files there are lost when the container is removed`,
        'mount each of these directories, as "deno task setup" does in the containers that it creates',
      )],
    ],
    found,
  );
}

/** Returns the directories that must continue to exist when a container is removed. */
function directories({ paths, checkpoint }: SlimeConfig): string[] {
  const { directory, huggingFace } = checkpoint;
  return [paths.runs, directory, ...huggingFace === null ? [] : [huggingFace]];
}
