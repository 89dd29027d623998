import { Page } from '../../components/page.tsx';

export default function Batch() {
  return <Page title="Batch">{null}</Page>;
}
