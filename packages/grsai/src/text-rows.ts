import type { Category } from './classify.ts';

interface TextRow {
  readonly category: Category;
  /** Matches a plain text (`plainText`) anywhere. Between words of one phrase stands at most a name or the like. */
  readonly text: RegExp;
  /** How long upstream is known to want to be left alone. */
  readonly waitMs?: number;
  /** Upstream is overloaded: it passes, and is no failure of the job. */
  readonly busy?: true;
  /** A whole phrase that nobody but upstream says, and not a word that a machine in between may use as well. */
  readonly sure?: true;
}

const KEY = 'api[ _-]?keys?';
const KEY_ZH = `(?:密[钥鑰]|秘[钥鑰]|令牌|${KEY}|token|[鉴鑑][权權]|[认認][证證]|身份[验驗][证證]|[授受][权權][码碼])`;
const ACCOUNT_ZH = '(?:[账帐賬帳][号户號戶]|用户|用戶)';
const MONEY_ZH = '(?:余额|餘額|[额額]度|[积積]分|点数|點數|算力[点點值]|信用[点點]|套餐|配[额額]|[资資]金|[费費]用|金[币幣])';
/** Within a clause. */
const NEAR = '[^,，。;；!！]';

/**
 * Texts in which upstream says no, read from the top. What must never be repeated stands before what may be, and what concerns
 * the whole account before what concerns one input: "account suspended for policy violation" is nobody's prompt. English ones of
 * upstream.md §11.1 and §16.3, those of OpenAI and Gemini that a relay passes on, and the Chinese ones that gateways of this sort use.
 */
export const TEXT_ROWS: readonly TextRow[] = [
  // The account, or the key, is shut.
  {
    category: 'auth',
    text: /(?:account|organi[sz]ation|api[ _-]?key|user)(?:[ :]\S{1,80})?(?: has been| have been| was| is)?(?: \w+)?[ _](?:suspended|disabled|banned|deactivated|locked|frozen|terminated|revoked|restricted)|(?:suspended|disabled|banned|deactivated|frozen) (?:account|user)/gi,
  },
  {
    category: 'auth',
    text: new RegExp(
      `${ACCOUNT_ZH}${NEAR}{0,10}(?:封|冻结|凍結|停用|禁用|[锁鎖]定|注[销銷]|[风風]控|受限|异常|異常)|(?:封禁|封停|冻结|凍結)${NEAR}{0,6}${ACCOUNT_ZH}`,
      'gi',
    ),
  },
  // Money.
  {
    category: 'balance',
    text: /(?:credits?|balance|funds?|points|user[ _-]quota) (?:is |are |has |have |been )*(?:not enough|insufficient|exhausted|depleted|used up|run out|too low|overdrawn)|(?:not enough|insufficient|no(?: more)?|out of)[ _-](?:remaining |available |account |user[ _-])?(?:credits?|balance|funds?|points|quota)(?![ _-]?per)/gi,
    sure: true,
  },
  {
    category: 'balance',
    text: /exceeded your current quota|billing[ _-](?:hard[ _-]limit|not[ _-]active)|payment required|in arrears/gi,
    sure: true,
  },
  {
    category: 'balance',
    text: new RegExp(
      `欠[费費]|[预預]扣[费費]?[^,，。;；]{0,6}失[败敗]|(?:使用|剩[余餘]|可用|免[费費]|生成)次[数數]${NEAR}{0,6}(?:不足|不[够夠]|用完|用尽|用盡|耗尽|耗盡|[为為]0)|^次[数數]不足|${MONEY_ZH}${NEAR}{0,8}(?:不足|不[够夠]|[过過]低|用完|用尽|用盡|耗尽|耗盡|[为為](?:0|零|[负負]))|(?:[没沒]有?|[无無]|不足|超出|超[过過])(?:足[够夠]的?|可用的?|剩[余餘]的?|[总總])?${MONEY_ZH}`,
      'gi',
    ),
    sure: true,
  },
  // The key.
  {
    category: 'auth',
    text: new RegExp(
      `${KEY}(?: \\S{1,80})?[ _-](?:is |was |has )?(?:error|empty|missing|invalid|expired|no[ _-]exist|not[ _-](?:found|exist|valid|provided|set)|does not exist|incorrect|wrong|unknown|required|leaked)|(?:invalid|incorrect|wrong|missing|expired|unknown|bad|no|malformed)[ _-](?:\\w+[ _-])?(?:${KEY}|access token|auth(?:entication|orization)? (?:token|header)|bearer token|credentials)|no ${KEY}|${KEY} (?:that )?you (?:have )?provided (?:is|was)`,
      'gi',
    ),
    sure: true,
  },
  {
    category: 'auth',
    text: /unauthori[sz]ed(?! (?:content|use|image|material|likeness))|unauthenticated|(?:authentication|authorization)[ _](?:failed|error|required)|permission[ _]denied|token (?:is |has )?(?:invalid|expired)|invalid token(?! (?:at|in|near|['"`<]))|(?:登[录錄])[^,，。]{0,3}[过過]期|[请請]先登[录錄]/gi,
    sure: true,
  },
  {
    category: 'auth',
    text: new RegExp(
      `${KEY_ZH}${NEAR}{0,6}(?:[错錯][误誤]|[无無]效|不存在|失效|[过過]期|[为為]空|不能[为為]空|不正[确確]|不可用|失[败敗]|[不未]通[过過]|禁用|缺失|有[误誤])|(?:[无無]效|[错錯][误誤]|非法|未提供|缺少|[过過]期)的? ?(?:api ?)?${KEY_ZH}|未(?:[经經])?授[权權]|未登[录錄]|(?:[没沒]有|[无無])[权權]限|[权權]限不足|[无無][权權][访訪]`,
      'gi',
    ),
    sure: true,
  },
  // Policy.
  {
    category: 'moderation',
    text: /content(?:[_ ]management)?[_ ]policy|prompt rejected|(?:in|out)put_moderation|moderation_blocked/gi,
    sure: true,
  },
  {
    category: 'moderation',
    text: /(?<!(?:protocol|constraint|access|unique|schema|limit|key|type|memory|sharing) )violat|content[_ -]?(?:policy|filter(?![_ -]?(?:results|offsets))|safety|violation|restrict|moderation(?!.{0,30}(?:time|unavailable|busy|overload)))|(?:in|out)put_moderation|moderation_blocked|prohibited[ _]content|image_safety|blocklist|recitation|sensitive_words|responsible ?ai\b|responsibleai|jailbreak|safety (?:system|filter|setting|polic|check|reason|guideline|concern|violation|classifier|block)|(?:finish|block|stop)[ _]?reason\W{0,4}safety|^\W*safety\W*$/gi,
  },
  { category: 'moderation', text: /\b(?:SAFETY|SPII)\b/g },
  {
    category: 'moderation',
    text: /(?:prompt|image|content|input|output|text|message)s? (?:was |were |is |are |has been |have been |got )?(?:rejected|blocked|refused|flagged)(?!.{0,40}\b(?:too (?:large|big|many|long)|format|size|dimension|resolution|load|busy|queue|limit|traffic))|(?:request|generation) (?:was |is |has been |got )flagged\W*$|(?:request|generation|you|it) (?:was |were |is |has been |got )?(?:rejected|blocked|flagged)(?: \w+){0,4} (?:policy|policies|safety|moderation|content|unsafe|inappropriate|sensitive|harmful|nsfw|sexual|violen\w+|abusive)/gi,
  },
  {
    category: 'moderation',
    text: /nsfw|inappropriate|pornograph|obscen|nudity|sexual(?:ly)? |explicit (?:content|material|image)|adult content|harmful|offensive (?:content|language|material)|disallowed content|illegal (?:content|material|activit)|unsafe(?! (?:url|link|port|redirect|host|method))|(?<!(?:case|time|latency)[ -])sensitive(?! to)|copyright|intellectual property|public figure|photorealistic (?:people|person)|moderat(?:ion|ed)(?!.{0,30}(?:time|unavailable|busy|overload))|(?:real|identifiable|private) (?:people|persons?|individuals?)|(?:not allowed|forbidden|prohibited|disallowed|blocked|refused) (?:by|under|due to|because of) (?!.{0,20}(?:rate|limit|network|access|traffic|firewall))(?:\w+ ){0,3}(?:policy|policies|guidelines?|rules|standards)\b|guardrail|(?:usage|content|safety|community|use|our) (?:polic(?:y|ies)|guidelines?|standards)\b|terms of (?:use|service)|(?:can.?t|cannot|unable to|not able to) (?:help|assist)(?: you)? with|(?:refused|declined) to generate|third[- ]party content/gi,
  },
  {
    category: 'moderation',
    text: /[违違][规規禁法]|[违違]反(?!.{0,6}[约約]束)|敏感|[审審](?:核|查)(?!服[务務]|中|超[时時]|系[统統]繁忙)|涉[黄黃政]|色情|暴力|血腥|不良(?:内容|內容|信息)|不[当當](?:内容|內容|言[论論])|不合[规規]|(?:内容|內容)(?:安全|政策|限制)|安全(?:策略|政策|系[统統]|限制|[过過][滤濾]|[检檢][测測])|屏蔽[词詞]|[风風]控|版[权權]|侵[权權]|肖像|安全[机機]制|(?:公[众眾]|政治|知名)人物|真人(?![验驗]|[认認][证證]|客服)|名人|未成年|裸露|[儿兒]童(?:色|性)|不[宜雅](?:内容|內容)|低俗|[无無]法[协協]助|拒[绝絕](?:生成|回答)|不允[许許]的(?:内容|內容)|(?:内容|內容|[图圖]片)不安全|不安全的?(?:内容|內容|[图圖]片)|非法(?:内容|內容)|[无無]法生成(?:[该該]|此|[这這]|相[关關])[^,，。]{0,2}(?:内容|內容)|不符合(?:社[区區]|平[台臺]|使用|内容|內容)(?:[规規]|政策|[准準])/gi,
  },
  // Money, in words that may mean something else as well.
  {
    category: 'balance',
    text: /(?<!per[ _-]?(?:minute|second|hour|day).{0,80})quota(?!.{0,120}per[ _-]?(?:minute|second|hour|day))|billing|(?:top[ -]?up|recharge) (?:your|the|now|first)|please (?:top[ -]?up|recharge)|充[值費费]/gi,
  },
  // The model.
  {
    category: 'model',
    text: /model[s_ ](?:is |was |are |has |have )?(?:not[ _](?:found|support|exist|available)|(?:under |in )?maintenance|does(?: not|n't) exist|no longer|(?:being |been )?(?:deprecated|retired|decommissioned|discontinued|sunset|removed|shut down)|offline|unknown|unavailable|disabled|closed)|(?:unsupported|unknown|invalid|no such|nonexistent)[ _]model|no available channel|channel not found/gi,
    sure: true,
  },
  {
    category: 'model',
    text: /models?(?: |: ?|\/)["'`“]?[\w.:/@-]{1,128}["'`”]?,? (?:is |was |are |has been |does )?(?:currently )?(?:not (?:found|support|exist|available|a valid)|no longer|deprecated|retired|decommissioned|discontinued|sunset|removed|under maintenance|in maintenance|offline|disabled)|(?<!(?:system|service|server|site|scheduled|api|platform|upstream) (?:is )?(?:currently )?(?:in |under )?)maintenance/gi,
  },
  {
    category: 'model',
    text: /模型[^,，。;；]{0,30}(?:不存在|不支持|未[开開](?:放|通)|[维維][护護]|下架|下[线線]|未上[线線]|停用|[暂暫]停|升[级級]|名[称稱]?[错錯][误誤]|不可用|未找到|[无無]效|[关關][闭閉]|[弃棄]用|[无無]可用渠道)|(?:不存在|不支持|未知|未[开開](?:放|通)|[无無]效|[没沒]有|找不到|未找到)(?:的|[该該]|此|[这這][个個])*模型|(?:[无無]|[没沒]有)可用的?(?:渠道|通道)|(?<!(?:系[统統]|服[务務]器?|平[台臺]|[网網]站|接口)[^,，。]{0,8})[维維][护護]|下架/gi,
    sure: true,
  },
  // The input.
  {
    category: 'input',
    text: /invalid[ _](?:input[ _])?(?:parameters?|arguments?)|image format is incorrect|aspectRatio must be|unexpected end of JSON input|invalid character .* looking for|cannot unmarshal|context[_ ]length[_ ]exceeded|maximum context length|max_(?:completion_|output_)?tokens(?: \S+)? (?:is |was |must |cannot |exceed)|supports at most \d+/gi,
    sure: true,
  },
  {
    category: 'input',
    text: /invalid (?:request|value|json|image|url|prompt|size|ratio|resolution|aspect)|\bmust be (?:one of|an? |between|less|greater|at (?:least|most)|in )|unsupported (?:image|format|size|file|parameter|value|media|aspect|resolution)|(?:image|file|prompt|input|text|context|body|payload)(?: \w+)? (?:is )?too (?:large|long|big|small|short)|exceeds? (?:the )?(?:max(?:imum)?|context|token)[ _]|(?:prompt|messages?|model|field|parameter|image)s? (?:is|are) required|missing (?:required )?(?:parameter|field|prompt|model|messages)|required parameter|(?:prompt|messages?|model) (?:is|are) empty|field required|(?:file|image) size exceeds?|(?:size|resolution|ratio|format|quality) (?:is )?not supported|too many (?:\w+ )?images(?! per)|(?:maximum|max) (?:number of )?images|(?:invalid|illegal|malformed) base64|base64 (?:\w+ )?(?:error|failed)|(?:failed|unable|not|cannot|could ?n.?t) (?:to )?(?:be )?(?:download|fetch|load|open|read|decode|process|access)(?:ed)?(?: \w+){0,2} (?:images?|pictures?)\b(?!.{0,80}(?:again|later|retry|tim(?:e|ed) ?out|busy))|(?:image|picture)(?: url)? (?:download|fetch|decode)(?:ing)? (?:failed|error)(?!.{0,80}(?:again|later|retry|tim(?:e|ed) ?out|busy))|(?:image|picture) url is not/gi,
  },
  {
    category: 'input',
    text: /[参參][数數][^,，。;；]{0,8}(?:[错錯][误誤]|[无無]效|不正[确確]|缺失|不合法|异常|異常|有[误誤])|(?:[无無]效|[错錯][误誤]|非法|缺少)的? ?(?:[参參][数數]|[请請]求|[图圖]片|提示[词詞])|[图圖]片(?:格式|大小|尺寸)[^,，。]{0,8}(?:[错錯][误誤]|不支持|不正[确確]|超)|(?:[图圖]片|文件|提示[词詞]|[内內]容|[请請]求[体體]|上下文|尺寸|分辨率|解析度|文本)的?(?:大小|尺寸|[长長]度|分辨率|解析度|[体體][积積])?(?:[过過太]大|[过過太]小|[过過太][长長]|超[过過出]|超限)|不支持|不能[为為]空|必填|(?:[图圖]片|[图圖]像|[参參]考[图圖])[^,，。;；]{0,8}(?:下[载載]|[获獲]取|[访訪][问問]|解析|[读讀]取|[链鏈]接)[^,，。;；]{0,4}(?:失[败敗]|[无無]效|[错錯][误誤])(?!.{0,30}(?:稍[后後候]|重[试試]|超[时時]|繁忙))|[无無]法(?:下[载載]|[获獲]取|[访訪][问問]|[读讀]取|解析)[^,，。;；]{0,6}[图圖]|[图圖]片[^,，。;；]{0,4}[无無]法[访訪][问問]|[图圖]片[数數]量[^,，。;；]{0,4}超|上下文[^,，。;；]{0,4}超|超[出过過]最大[长長]度/gi,
    sure: true,
  },
  // What passes.
  {
    category: 'transient',
    text: /load is too high|(?:high|heavy) (?:load|demand|traffic)|overload|too busy|(?:server|system|service|upstream|model|channel|queue|engine|gateway)s?(?: is| are)?(?: \w+)? (?:busy|saturated|full)|at (?:full |max(?:imum)? )?capacity|(?:no|insufficient|lack of|out of)(?: available)? (?:capacity|resources)|capacity (?:exceeded|limit)|concurren(?:t|cy)(?: requests?)? limit|too many concurrent/gi,
    waitMs: 15_000,
    busy: true,
  },
  {
    category: 'transient',
    text: /[负負][载載]|繁忙|[拥擁][挤擠堵]|[饱飽]和|[过過][载載]|排[队隊]|高峰|[并併並][发發]|算力不足|[资資]源不足|[队隊]列(?:已)?[满滿]|任[务務][^,，。;；]{0,6}(?:[过過]多|上限|已[满滿])|人[数數][过過]多/gi,
    waitMs: 15_000,
    busy: true,
  },
  {
    category: 'transient',
    text: /rate[ _-]?limit|too many requests|(?:requests|tokens|images) per (?:minute|second|hour|day)|resource_exhausted|限流|限速|[频頻][率繁]|[请請]求[过過太](?:多|快)|(?:太|[过過])快/gi,
    waitMs: 30_000,
    sure: true,
  },
  {
    category: 'transient',
    text: /temporarily unavailable|service unavailable|(?:currently|is) unavailable|time(?:d )?[- ]?out|(?:retry|try(?: again)?)(?: \w+){0,2} (?:later|in \d+|after)|bad gateway|internal (?:server )?error|connection (?:reset|refused|closed)|deadline[ _]exceeded|maintenance|稍[后後候]|超[时時]|逾[时時]|重[试試]|服[务務]器?(?:[暂暫][时時]?|[内內]部)?(?:异常|異常|不可用|[错錯][误誤])|[内內]部[错錯][误誤]|[暂暫][时時]?[无無]法|[开開]小差|上游[^,，。;；]{0,2}(?:异常|異常|[错錯][误誤])|upstream error|unexpected status (?:code )?5\d\d|[网網][络絡](?:异常|異常|[错錯][误誤])|系[统統](?:异常|異常|[错錯][误誤])|[维維][护護]/gi,
  },
  {
    category: 'failed',
    text: /generat(?:e|ion) (?:image )?(?:failed|error)|image generation failed|fail(?:ed)? to generate|API error response|no images? (?:was |were )?(?:generated|returned)|(?:生成|任[务務]|[处處]理|[绘繪][图圖]|[出生作][图圖]|[执執]行|[创創]作|渲染)(?:[图圖]片|[图圖]像|[视視][频頻])?(?:失[败敗]|异常|異常|[错錯][误誤]|不成功)|未能?(?:成功)?生成|[没沒]有生成/gi,
  },
];
