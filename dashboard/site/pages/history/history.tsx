import { Page } from '../../components/page.tsx';

export default function History() {
  return <Page title="History">{null}</Page>;
}
