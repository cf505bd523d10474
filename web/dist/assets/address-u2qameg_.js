import{i as e,n as t,r as n}from"./page-kNZkkZdL.js";import{c as r,f as i,h as a,l as o,t as s}from"./form-BGDztkeU.js";import{n as c,t as l}from"./fragment-CKCuf7Tx.js";var u=a(i(),1),d=o(),f=`convoke.address`,p=`
  mutation ConfirmEmailChange($input: ConfirmEmailChangeInput!) {
    confirmEmailChange(input: $input) {
      changed
      userErrors { code field message }
    }
  }
`,m=`
  mutation CancelEmailChange($input: CancelEmailChangeInput!) {
    cancelEmailChange(input: $input) {
      canceled
      userErrors { code field message }
    }
  }
`;function h(){let[e,i]=(0,u.useState)(()=>c(f)),[a,o]=(0,u.useState)(null);(0,u.useEffect)(()=>{let e=()=>{i(c(f)),o(null)};return addEventListener(`hashchange`,e),()=>removeEventListener(`hashchange`,e)},[]);let h=(e,t)=>(e.length===0&&(l(f),o(t)),e);return(0,d.jsx)(n,{children:(0,d.jsx)(`section`,{className:`card`,children:a===`changed`?(0,d.jsxs)(d.Fragment,{children:[(0,d.jsx)(t,{children:`Your address has changed`}),(0,d.jsx)(`p`,{children:`Sign in with the new address from now on. You stay signed in where you are.`}),(0,d.jsx)(`p`,{children:(0,d.jsx)(`a`,{className:`button`,href:`/`,children:`Continue`})})]}):a===`confirmed`?(0,d.jsxs)(d.Fragment,{children:[(0,d.jsx)(t,{children:`One more confirmation`}),(0,d.jsx)(`p`,{children:`Now open the link in the mail to the other address. Until then the address stays as it is.`})]}):a===`canceled`?(0,d.jsxs)(d.Fragment,{children:[(0,d.jsx)(t,{children:`The change is canceled`}),(0,d.jsxs)(`p`,{children:[`The address stays as it is. If you did not ask for the change, `,(0,d.jsx)(`a`,{href:`/reset`,children:`set a new password`}),`.`]})]}):e?(0,d.jsxs)(d.Fragment,{children:[(0,d.jsx)(`h1`,{children:`Change your address`}),(0,d.jsx)(`p`,{children:`The address of your user changes when the old address and the new one have both confirmed it.`}),(0,d.jsx)(s,{action:async()=>{let{confirmEmailChange:t}=await r(p,{input:{token:e}});return h(t.userErrors,t.changed?`changed`:`confirmed`)},children:`Confirm the change`}),(0,d.jsx)(s,{className:`danger`,action:async()=>{let{cancelEmailChange:t}=await r(m,{input:{token:e}});return h(t.userErrors,`canceled`)},children:`Cancel the change`})]}):(0,d.jsxs)(d.Fragment,{children:[(0,d.jsx)(`h1`,{children:`No link here`}),(0,d.jsx)(`p`,{children:`Please open this page with the link in your mail.`})]})})})}e((0,d.jsx)(h,{}));