import { mount } from '../page';
import { Accept } from './accept';

mount(<Accept />);
