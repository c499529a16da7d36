import { ROOT_CONTEXT, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import type { Context, Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { StoredEvent } from '../model/run-event.ts';
import type { TraceParent } from '../model/trace-parent.ts';
import { runTrace } from './run-trace.ts';
import type { TraceSpan } from './run-trace.ts';

export interface Traces {
  /** Sends the trace of a run that has ended, in the background. */
  runEnded(events: readonly StoredEvent[]): void;
  /** Sends what is left. */
  close(): Promise<void>;
}

/**
 * Traces over OTLP/HTTP. Where they go, with which headers and how often, the exporter takes from the usual OTEL_* variables:
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function createTraces(version: string): Traces {
  const named = resourceFromAttributes({ 'service.name': 'sluice', 'service.version': version });
  const given = detectResources({ detectors: [envDetector] });
  const provider = new BasicTracerProvider({
    resource: defaultResource().merge(named).merge(given),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('sluice', version);
  return {
    runEnded: (events) => {
      const root = runTrace(events);
      if (root) record(tracer, root, contextOf(root.parent));
    },
    close: () => provider.shutdown(),
  };
}

/** Whether a trace that began elsewhere is sent is by its sampled flag, unless OTEL_TRACES_SAMPLER says otherwise. */
function contextOf(parent: TraceParent | undefined): Context {
  if (!parent) return ROOT_CONTEXT;
  const { traceId, parentId: spanId, sampled } = parent;
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function record(tracer: Tracer, { name, startAt, endAt, outcome, attributes, children }: TraceSpan, parent: Context) {
  const span = tracer.startSpan(name, { startTime: startAt, attributes }, parent);
  for (const child of children) record(tracer, child, trace.setSpan(parent, span));
  if (outcome === 'failed' || outcome === 'errored') span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(endAt);
}
