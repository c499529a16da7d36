import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditWrite, SeenPod } from './check-cluster.ts';
import { readStep } from './read-pod.ts';
import type { PodStatus } from './read-pod.ts';

interface Entry {
  readonly stage: string;
  readonly verb: string;
  readonly objectRef?: {
    readonly resource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  /** For what kubelets say of pods alone. */
  readonly requestObject?: { readonly metadata?: { readonly uid?: string }; readonly status?: PodStatus };
  readonly stageTimestamp: string;
}

/** The audit log of the cluster of the tests from now on, for one namespace. */
export class AuditLog {
  readonly writes: AuditWrite[] = [];
  /** What the kubelet itself said of pods. */
  readonly pods: SeenPod[] = [];
  readonly #file: string;
  readonly #namespace: string;
  #offset: number;
  #rest = '';

  constructor(home: string, namespace: string) {
    this.#file = join(home, 'logs', 'audit.log');
    this.#namespace = namespace;
    this.#offset = this.#size();
  }

  /** Takes in what was written since the last time. */
  read(): readonly AuditWrite[] {
    const size = this.#size();
    // The API server has begun a new file.
    if (size < this.#offset) this.#offset = 0;
    if (size === this.#offset) return this.writes;
    const lines = (this.#rest + this.#bytes(size)).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line.includes(`"namespace":"${this.#namespace}"`)) this.#note(line);
    return this.writes;
  }

  #note(line: string): void {
    const { stage, verb, objectRef = {}, responseStatus, requestObject, stageTimestamp } = JSON.parse(line) as Entry;
    const { resource = '', name = '', subresource } = objectRef;
    const at = Date.parse(stageTimestamp);
    const code = responseStatus?.code ?? 0;
    if (stage !== 'ResponseComplete') return;
    if (subresource === undefined) this.writes.push({ at, verb, resource, name, code });
    const uid = requestObject?.metadata?.uid;
    if (resource !== 'pods' || subresource !== 'status' || uid === undefined || code !== 200) return;
    this.pods.push({ at, uid, job: name.replace(/-[^-]+$/, ''), gone: false, ...readStep(requestObject?.status) });
  }

  #size(): number {
    if (!existsSync(this.#file)) return 0;
    return this.#open((file) => fstatSync(file).size);
  }

  #bytes(end: number): string {
    return this.#open((file) => {
      const buffer = Buffer.alloc(end - this.#offset);
      this.#offset += readSync(file, buffer, 0, buffer.length, this.#offset);
      return buffer.toString();
    });
  }

  #open<Value>(act: (file: number) => Value): Value {
    const file = openSync(this.#file, 'r');
    try {
      return act(file);
    } finally {
      closeSync(file);
    }
  }
}
