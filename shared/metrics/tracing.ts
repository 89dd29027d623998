/**
 * Traces of jobs, from whoever enqueues them to whoever runs them, for those who collect such: by
 * OpenTelemetry's protocol over http (OTLP). Loaded only where the environment names a collector.
 */
import type { Telemetry } from 'bullmq';

export interface Tracing {
  /** What queues and workers report to. */
  telemetry: Telemetry;
  /** Send what there still is. After queues and workers are closed. */
  stop: () => Promise<void>;
}

/** A collector that does not answer must not hold up the end of a process, in milliseconds. */
const exportTimeoutMs = 5_000;

/**
 * @param endpoint the collector, without a slash at the end, e.g. http://localhost:4318
 */
export async function startTracing(endpoint: string): Promise<Tracing> {
  const [api, core, hooks, exporter, resources, sdk, { BullMQOtel }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/context-async-hooks'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace'),
    import('bullmq-otel'),
  ]);
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes({
      'service.name': 'hiphop-popularity',
      'process.pid': process.pid,
    }),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: new exporter.OTLPTraceExporter({
          url: `${endpoint}/v1/traces`,
          timeoutMillis: exportTimeoutMs,
        }),
      }),
    ],
  });
  api.context.setGlobalContextManager(new hooks.AsyncLocalStorageContextManager().enable());
  api.propagation.setGlobalPropagator(new core.W3CTraceContextPropagator());
  api.trace.setGlobalTracerProvider(provider);
  return {
    telemetry: new BullMQOtel({ tracerName: 'hiphop' }) as Telemetry,
    stop: async () => {
      await provider.shutdown().catch(() => {}); // a collector that is away takes nothing
      api.trace.disable();
      api.context.disable();
      api.propagation.disable();
    },
  };
}
