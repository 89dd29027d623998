import { Page } from '../../components/page.tsx';

export default function Logs() {
  return <Page title="Logs">{null}</Page>;
}
