/** One model: its figures, its curves, what it is made of, and what to beware of. */
import { Link, useParams } from 'react-router';
import type { ModelsSnapshot, ModelView } from '../../../api/models/schemas.ts';
import { useApi, useMe } from '../../api.ts';
import { IdLink } from '../../components/id-link.tsx';
import { Fact, Facts, Loaded, Notice, Page, Panel } from '../../components/page.tsx';
import { Status } from '../../components/status.tsx';
import { useEvent } from '../../events.ts';
import { count, duration, figure, moment, withInterval } from '../../format.ts';
import {
  EpochChart,
  LearningCurveChart,
  PrecisionRecallChart,
  ReliabilityChart,
  RocChart,
} from './charts.tsx';
import { Confusion, Evaluations } from './figures.tsx';
import { ModelActions } from './model-actions.tsx';
import { Progress } from './progress.tsx';

export default function Model() {
  const { model: id } = useParams();
  const model = useApi<ModelView>(`/models/${id}`);
  const live = useEvent<ModelsSnapshot>('models')?.value.training.find((one) => one.id === id);
  const operator = useMe().data?.role === 'operator';
  const view = model.data;
  return (
    <Page
      title={view ? `${view.id}: ${view.name}` : `Model ${id}`}
      lead={view?.description}
      actions={
        view && (
          <>
            <Status state={view.champion ? 'champion' : view.state} />
            {operator && <ModelActions model={view} kind="danger" />}
          </>
        )
      }
    >
      {live?.progress && (
        <Notice>
          It trains: <Progress progress={live.progress} />
        </Notice>
      )}
      <Loaded query={model}>{(found) => <Everything model={found} />}</Loaded>
    </Page>
  );
}

function Everything({ model }: { model: ModelView }) {
  const { warnings, evaluations, epochs, rocCurve, precisionRecall, reliability, confusion, error } = model;
  const main = evaluations[0];
  return (
    <>
      {error && <Notice kind="warn">{error}</Notice>}
      {warnings.map((warning) => (
        <Notice key={warning} kind="warn">
          {warning}
        </Notice>
      ))}
      {evaluations.length > 0 && (
        <Panel title="Figures, on songs that it never heard">
          <Evaluations evaluations={evaluations} />
        </Panel>
      )}
      <div className="grid">
        {epochs.length > 0 && (
          <Panel title="Learning, epoch by epoch">
            <EpochChart epochs={epochs} />
          </Panel>
        )}
        {rocCurve && main && (
          <Panel title={`ROC curve (${main.basis}, n = ${count(main.n)})`}>
            <RocChart
              curves={[{ name: model.name, points: rocCurve }]}
              summary={`ROC curve, area ${withInterval(main.rocAuc, main.rocAucCi95)}, n = ${main.n}`}
            />
          </Panel>
        )}
        {precisionRecall && main && (
          <Panel title={`Precision and recall (n = ${count(main.n)})`}>
            <PrecisionRecallChart points={precisionRecall} baseRate={main.top10?.baseRate ?? null} />
          </Panel>
        )}
        {reliability.length > 0 && main && (
          <Panel title={`Calibration (n = ${count(main.n)})`}>
            <ReliabilityChart bins={reliability} />
            <p>
              <small>
                Error {main.ece === null ? 'not measured' : figure(main.ece)}; by chance alone a perfect model
                of so many songs would have {main.eceByChance === null ? 'some' : figure(main.eceByChance)}.
              </small>
            </p>
          </Panel>
        )}
        {confusion && main && (
          <Panel title={`Right and wrong (n = ${count(main.n)})`}>
            <Confusion confusion={confusion} threshold={main.decisionThreshold ?? 0.5} />
          </Panel>
        )}
        {model.studies && model.studies.learningCurve.length > 1 && (
          <Panel title="Would more songs help?">
            <LearningCurveChart points={model.studies.learningCurve} />
          </Panel>
        )}
      </div>
      {model.studies && <Studies studies={model.studies} />}
      <Made model={model} />
    </>
  );
}

function Studies({ studies }: { studies: NonNullable<ModelView['studies']> }) {
  if (studies.confounds.length === 0) return null;
  return (
    <Panel title="Is it the sound?">
      <p>
        How well popularity is guessed without listening, from the other songs of the same source or artist:
      </p>
      <ul className="plain">
        {studies.confounds.map(({ by, n, rocAuc, rocAucCi95 }) => (
          <li key={by}>
            by {by}: {withInterval(rocAuc, rocAucCi95)}, n = {count(n)}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Made({ model }: { model: ModelView }) {
  return (
    <Panel title="How it was made">
      <Facts>
        <Fact name="Data set">
          <Link to={`/data-sets/${model.dataSetId}`}>{model.dataSet}</Link>
        </Fact>
        <Fact name="Run">
          <IdLink id={model.run} />
        </Fact>
        <Fact name="Parameters">{model.parameters === null ? '–' : count(model.parameters)}</Fact>
        <Fact name="Back end">{model.backend ?? '–'}</Fact>
        <Fact name="Training">{model.trainSeconds === null ? '–' : duration(model.trainSeconds)}</Fact>
        <Fact name="Made">{moment(model.createdAt)}</Fact>
        <Fact name="Version of the program">{model.codeVersion ?? '–'}</Fact>
        {model.imported && <Fact name="Imported">from another registry</Fact>}
      </Facts>
      {model.decision && <p>{model.decision}</p>}
      {model.promotions.length > 0 && (
        <ul className="plain">
          {model.promotions.map(({ at, by, reason }) => (
            <li key={at}>
              champion since {moment(at)}, by {by}: {reason}
            </li>
          ))}
        </ul>
      )}
      <details>
        <summary>Options and counts</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
        <pre tabIndex={0}>{JSON.stringify({ options: model.options, counts: model.counts }, null, 2)}</pre>
      </details>
      {model.topology !== null && (
        <details>
          <summary>Topology</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
          <pre tabIndex={0}>{JSON.stringify(model.topology, null, 2).slice(0, 20_000)}</pre>
        </details>
      )}
    </Panel>
  );
}
