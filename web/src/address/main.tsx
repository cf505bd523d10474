import { mount } from '../page';
import { Address } from './address';

mount(<Address />);
