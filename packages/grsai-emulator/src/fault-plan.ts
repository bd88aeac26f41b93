import { AskError } from './ask-error.ts';
import type { Directives } from './directives.ts';
import { type Fault, homeOf, type Phase, parseFault, phasesOf, REQUEST_PHASES, Strikes } from './faults.ts';
import { unit } from './random.ts';
import type { Settings } from './settings.ts';
import { textOf } from './texts.ts';

/** The next requests that fit are struck. */
export interface ScriptEntry {
  /** As in a header: `F9:as=html`. */
  readonly fault: string;
  /** Which requests: submit, chat, poll, file, side; left out, where the fault strikes by itself. */
  readonly on?: Phase;
  /** How many requests are struck; by default 1. */
  readonly times?: number;
  /** So many that fit pass by unharmed first. */
  readonly skip?: number;
  readonly model?: string;
  /** A part of the prompt. */
  readonly prompt?: string;
  /** Number of the node, from 0. */
  readonly node?: number;
}

/** What the plan looks at. */
export interface Moment {
  readonly phase: (typeof REQUEST_PHASES)[number];
  readonly node: number;
  readonly directives: Directives;
  readonly model?: string;
  readonly prompt?: string;
}

/** What strikes now, and what the task, its polls, its file and its webhook will meet later. */
export interface Plan {
  readonly now: Strikes;
  readonly later: readonly Fault[];
}

interface OpenEntry {
  readonly entry: ScriptEntry;
  readonly fault: Fault;
  readonly on: Phase;
  skip: number;
  left: number;
}

/** A thing that carries faults with it: a task or a file. */
export interface Carrier {
  readonly faults: readonly Fault[];
  /** How often each fault has struck at each phase. */
  readonly struck: Map<string, number>;
}

/** Decides which faults strike which request: by header, by prompt, by script, by chance. */
export class FaultPlan {
  readonly #seed: string;
  readonly #settings: Settings;
  readonly #script: OpenEntry[] = [];
  readonly #byPrompt = new Map<string, number>();
  #draws = 0;

  constructor(seed: string, settings: Settings) {
    this.#seed = seed;
    this.#settings = settings;
  }

  /** Adds entries; the first that fits a request is used up first. Throws on a fault that does not exist. */
  script(...entries: readonly ScriptEntry[]): void {
    for (const entry of entries) {
      const fault = parseFault(entry.fault);
      const on = entry.on ?? carrierOf(fault);
      if (!isRequestPhase(on)) throw new AskError(`script: on is one of ${REQUEST_PHASES.join(', ')}`);
      this.#script.push({ entry, fault, on, skip: entry.skip ?? 0, left: entry.times ?? 1 });
    }
  }

  /** Entries of the script that still wait for a request. */
  get pending(): readonly ScriptEntry[] {
    return this.#script.map(({ entry, left, skip }) => ({ ...entry, times: left, skip }));
  }

  reset(): void {
    this.#script.length = 0;
    this.#byPrompt.clear();
    this.#draws = 0;
  }

  /** Reads everything that was asked for this request. Throws on a fault that does not exist. */
  plan(moment: Moment): Plan {
    const asked = [...moment.directives.headerFaults.map(parseFault), ...this.#takeScript(moment), ...this.#takeMix(moment)];
    const now: Fault[] = this.#refusals(moment);
    const later: Fault[] = [];
    for (const fault of asked) {
      if (phasesOf(fault, moment.phase).includes(moment.phase)) now.push(fault);
      if (phasesOf(fault, moment.phase).some((phase) => phase !== moment.phase)) later.push(fault);
    }
    for (const fault of moment.directives.promptFaults.map(parseFault)) {
      const phases = phasesOf(fault, moment.phase);
      if (phases.includes(moment.phase) && this.#count(`${moment.phase} ${fault.spec} ${moment.prompt}`, fault)) now.push(fault);
      if (phases.some((phase) => phase !== moment.phase)) later.push(fault);
    }
    return { now: new Strikes(now), later };
  }

  /** The plan's strikes together with those that a task or file carries. */
  strikes(moment: Moment, carrier: Carrier | undefined): Strikes {
    const { now } = this.plan(moment);
    return carrier === undefined ? now : carried(carrier, moment.phase, now);
  }

  /** F24 for every call that the setting `refusals` names. */
  #refusals(moment: Moment): Fault[] {
    const found = this.#settings.refusals.find(
      ({ model, on = ['submit', 'chat'] }) => on.includes(moment.phase) && (model === undefined || model === moment.model),
    );
    if (found === undefined) return [];
    const fault = parseFault('F24');
    return [{ ...fault, params: { ...fault.params, text: textOf(found.text), status: String(found.status) } }];
  }

  #takeScript(moment: Moment): Fault[] {
    const taken: Fault[] = [];
    for (const open of this.#script) {
      if (!fits(open, moment)) continue;
      if (open.skip > 0) open.skip--;
      else if (open.left > 0) {
        open.left--;
        taken.push(open.fault);
      }
    }
    const rest = this.#script.filter((open) => open.left > 0);
    this.#script.splice(0, this.#script.length, ...rest);
    return taken;
  }

  #takeMix(moment: Moment): Fault[] {
    return this.#settings.mix.flatMap((entry) => {
      const fault = parseFault(entry.fault);
      if ((entry.on ?? carrierOf(fault)) !== moment.phase) return [];
      return unit(this.#seed, 'mix', this.#draws++) < entry.p ? [fault] : [];
    });
  }

  #count(key: string, fault: Fault): boolean {
    const before = this.#byPrompt.get(key) ?? 0;
    if (before >= fault.times) return false;
    this.#byPrompt.set(key, before + 1);
    return true;
  }
}

/** What a task or file carries for `phase`, over what strikes anyway; counts each strike. */
export function carried(carrier: Carrier, phase: Phase, over: Strikes): Strikes {
  const due = carrier.faults.filter((fault) => {
    if (!phasesOf(fault, 'submit').includes(phase)) return false;
    const key = `${phase} ${fault.spec}`;
    const before = carrier.struck.get(key) ?? 0;
    carrier.struck.set(key, before + 1);
    return before < fault.times;
  });
  return over.with(due);
}

const isRequestPhase = (phase: Phase): phase is Moment['phase'] => REQUEST_PHASES.some((known) => known === phase);

/** The kind of request that brings a fault: its own phase, or the submit whose task it strikes later. */
function carrierOf(fault: Fault): Phase {
  const home = homeOf(fault);
  return isRequestPhase(home) ? home : 'submit';
}

function fits({ entry, on }: OpenEntry, moment: Moment): boolean {
  return (
    on === moment.phase &&
    (entry.node === undefined || entry.node === moment.node) &&
    (entry.model === undefined || entry.model === moment.model) &&
    (entry.prompt === undefined || moment.prompt?.includes(entry.prompt) === true)
  );
}
