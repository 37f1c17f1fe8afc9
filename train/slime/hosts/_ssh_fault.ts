/** Turns ssh's error output into a reason and a hint. */

import type { LostCommand } from "./_piped_shell.ts";

/** Why a command on a host did not finish. */
export interface SshFault {
  readonly reason: string;
  readonly hint: string;
  /** Whether the command can be retried: a retry may succeed and cannot run the command twice. */
  readonly transient: boolean;
}

type Rule = readonly [said: RegExp, reason: string, hint: string, again?: true];

/**
 * The rules for ssh's errors. The first rule that matches applies. `HOST` is replaced with the arguments that a user
 * types after `ssh`.
 */
const RULES: readonly Rule[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    "the host key has changed",
    "find out why the key changed; if the host was reinstalled, remove the old key with ssh-keygen -R and connect once in a terminal: ssh HOST",
  ],
  [
    /Host key verification failed|No \S+ host key is known/,
    "the host key is unknown",
    "connect once in a terminal and compare the fingerprint: ssh HOST",
  ],
  [
    /UNPROTECTED PRIVATE KEY FILE|Load key .*: /,
    "the private key cannot be used",
    "check ssh.identity in hosts.yaml, and make the key readable only by its owner (chmod 600)",
  ],
  [
    /Identity file .* not accessible/,
    "the private key does not exist",
    "check ssh.identity in hosts.yaml",
  ],
  [
    /Permission denied|Too many authentication failures/,
    "the host accepts none of the offered keys",
    "set ssh.user and ssh.identity in hosts.yaml, or copy the key to the host with ssh-copy-id; load a key with a passphrase into ssh-agent; then test the login: ssh HOST true",
  ],
  [
    /Could not resolve hostname/,
    "the host name does not resolve",
    "check ssh.host in hosts.yaml",
  ],
  [
    /Bad (configuration option|owner or permissions)|keyword .{0,200} extra arguments|missing argument/i,
    "ssh rejects the options for the host",
    "check ssh.options in hosts.yaml, and ssh's own config",
  ],
  [
    /Connection refused/,
    "nothing listens on the ssh port",
    "check that sshd runs on the host, and check ssh.port in hosts.yaml",
    true,
  ],
  [
    /timed out|No route to host|Network is unreachable|Host is down/,
    "the host cannot be reached",
    "check that the host is up, and check its address and firewall",
    true,
  ],
  [
    /Connection (reset|closed)|kex_exchange_identification|Broken pipe|banner exchange/,
    "the connection was closed during the handshake",
    "try again, or raise MaxStartups in the host's sshd_config",
    true,
  ],
];

/**
 * Explains why ssh lost a command.
 * @param target The arguments that make `ssh` connect to the host, such as `-p 2222 -l me gpu1`.
 */
export function sshFault(lost: LostCommand, target: string): SshFault {
  if (lost.began) {
    return {
      reason: "the connection was lost before the command ended",
      hint:
        "run the command again; the interrupted command is terminated on the host",
      transient: false,
    };
  }
  const rule = RULES.find(([said]) => said.test(lost.said));
  if (rule) {
    const [, reason, hint, again = false] = rule;
    return { reason, hint: hint.replace("HOST", target), transient: again };
  }
  if (lost.status !== 255) {
    return {
      reason: "the host accepts the login but does not start a shell",
      hint: `check the login shell of the account: ssh ${target} sh -c true`,
      transient: false,
    };
  }
  return {
    reason: "ssh failed",
    hint: `run ssh in a terminal to see its error: ssh ${target} true`,
    transient: false,
  };
}
