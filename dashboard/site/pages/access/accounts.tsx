import { Page } from '../../components/page.tsx';

export default function Accounts() {
  return <Page title="Accounts">{null}</Page>;
}
