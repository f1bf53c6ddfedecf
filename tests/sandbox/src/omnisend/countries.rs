//! Countries by name and by ISO 3166-1 alpha-2 code: a contact's country is told as both.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Code, a space, and the common English name.
const COUNTRIES: &str = "\
    AD Andorra;AE United Arab Emirates;AF Afghanistan;AG Antigua and Barbuda;AI Anguilla;AL Albania;\
    AM Armenia;AO Angola;AQ Antarctica;AR Argentina;AS American Samoa;AT Austria;AU Australia;AW Aruba;\
    AX Åland Islands;AZ Azerbaijan;BA Bosnia and Herzegovina;BB Barbados;BD Bangladesh;BE Belgium;\
    BF Burkina Faso;BG Bulgaria;BH Bahrain;BI Burundi;BJ Benin;BL Saint Barthelemy;BM Bermuda;\
    BN Brunei;BO Bolivia;BQ Caribbean NL;BR Brazil;BS Bahamas;BT Bhutan;BV Bouvet Island;\
    BW Botswana;BY Belarus;BZ Belize;CA Canada;CC Cocos Islands;CD Democratic Republic of the Congo;\
    CF Central African Rep.;CG Republic of the Congo;CH Switzerland;CI Côte d'Ivoire;\
    CK Cook Islands;CL Chile;CM Cameroon;CN China;CO Colombia;CR Costa Rica;CU Cuba;CV Cape Verde;\
    CW Curaçao;CX Christmas Island;CY Cyprus;CZ Czech Republic;DE Germany;DJ Djibouti;DK Denmark;\
    DM Dominica;DO Dominican Republic;DZ Algeria;EC Ecuador;EE Estonia;EG Egypt;EH Western Sahara;\
    ER Eritrea;ES Spain;ET Ethiopia;FI Finland;FJ Fiji;FK Falkland Islands;FM Micronesia;\
    FO Faroe Islands;FR France;GA Gabon;GB United Kingdom;GD Grenada;GE Georgia;GF French Guiana;\
    GG Guernsey;GH Ghana;GI Gibraltar;GL Greenland;GM Gambia;GN Guinea;GP Guadeloupe;\
    GQ Equatorial Guinea;GR Greece;GS South Georgia and the South Sandwich Islands;GT Guatemala;\
    GU Guam;GW Guinea-Bissau;GY Guyana;HK Hong Kong;HM Heard Island and McDonald Islands;\
    HN Honduras;HR Croatia;HT Haiti;HU Hungary;ID Indonesia;IE Ireland;IL Israel;IM Isle of Man;\
    IN India;IO British Indian Ocean Territory;IQ Iraq;IR Iran;IS Iceland;IT Italy;JE Jersey;\
    JM Jamaica;JO Jordan;JP Japan;KE Kenya;KG Kyrgyzstan;KH Cambodia;KI Kiribati;KM Comoros;\
    KN Saint Kitts and Nevis;KP North Korea;KR South Korea;KW Kuwait;KY Cayman Islands;\
    KZ Kazakhstan;LA Laos;LB Lebanon;LC Saint Lucia;LI Liechtenstein;LK Sri Lanka;LR Liberia;\
    LS Lesotho;LT Lithuania;LU Luxembourg;LV Latvia;LY Libya;MA Morocco;MC Monaco;MD Moldova;\
    ME Montenegro;MF Saint Martin;MG Madagascar;MH Marshall Islands;MK North Macedonia;ML Mali;\
    MM Myanmar;MN Mongolia;MO Macau;MP Northern Mariana Islands;MQ Martinique;MR Mauritania;\
    MS Montserrat;MT Malta;MU Mauritius;MV Maldives;MW Malawi;MX Mexico;MY Malaysia;MZ Mozambique;\
    NA Namibia;NC New Caledonia;NE Niger;NF Norfolk Island;NG Nigeria;NI Nicaragua;NL Netherlands;\
    NO Norway;NP Nepal;NR Nauru;NU Niue;NZ New Zealand;OM Oman;PA Panama;PE Peru;\
    PF French Polynesia;PG Papua New Guinea;PH Philippines;PK Pakistan;PL Poland;\
    PM Saint Pierre and Miquelon;PN Pitcairn;PR Puerto Rico;PS Palestine;PT Portugal;PW Palau;\
    PY Paraguay;QA Qatar;RE Réunion;RO Romania;RS Serbia;RU Russia;RW Rwanda;SA Saudi Arabia;\
    SB Solomon Islands;SC Seychelles;SD Sudan;SE Sweden;SG Singapore;SH Saint Helena;SI Slovenia;\
    SJ Svalbard and Jan Mayen;SK Slovakia;SL Sierra Leone;SM San Marino;SN Senegal;SO Somalia;\
    SR Suriname;SS South Sudan;ST Sao Tome and Principe;SV El Salvador;SX Saint Maarten;SY Syria;\
    SZ Eswatini;TC Turks and Caicos Islands;TD Chad;TF French S. Terr.;TG Togo;TH Thailand;TJ Tajikistan;\
    TK Tokelau;TL Timor-Leste;TM Turkmenistan;TN Tunisia;TO Tonga;TR Turkey;TT Trinidad and Tobago;\
    TV Tuvalu;TW Taiwan;TZ Tanzania;UA Ukraine;UG Uganda;UM US minor outlying islands;\
    US United States;UY Uruguay;UZ Uzbekistan;VA Vatican City;VC Saint Vincent;VE Venezuela;\
    VG British Virgin Islands;VI United States Virgin Islands;VN Vietnam;VU Vanuatu;WF Wallis and Futuna;WS Samoa;\
    YE Yemen;YT Mayotte;ZA South Africa;ZM Zambia;ZW Zimbabwe";

/// Other spellings that people use.
const OTHER_NAMES: [(&str, &str); 8] = [
    ("usa", "US"),
    ("united states of america", "US"),
    ("great britain", "GB"),
    ("uk", "GB"),
    ("czechia", "CZ"),
    ("türkiye", "TR"),
    ("the netherlands", "NL"),
    ("viet nam", "VN"),
];

static BY_CODE: LazyLock<HashMap<&str, &str>> =
    LazyLock::new(|| COUNTRIES.split(';').filter_map(|entry| entry.split_once(' ')).collect());

static BY_NAME: LazyLock<HashMap<String, &str>> = LazyLock::new(|| {
    let names = BY_CODE.iter().map(|(code, name)| (name.to_lowercase(), *code));
    names.chain(OTHER_NAMES.map(|(name, code)| (name.to_owned(), code))).collect()
});

/// The name of the country that has this code, in capitals.
pub(super) fn name_of(code: &str) -> Option<&'static str> {
    BY_CODE.get(code).copied()
}

/// The code of the country that has this name, whatever its case.
pub(super) fn code_of(name: &str) -> Option<&'static str> {
    BY_NAME.get(name.to_lowercase().as_str()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str, name: &str) {
        assert_eq!((name_of(code), code_of(name)), (Some(name), Some(code)));
    }

    #[test]
    fn countries() {
        check("AD", "Andorra");
        check("GB", "United Kingdom");
        check("US", "United States");
        check("AX", "Åland Islands");
        check("ZW", "Zimbabwe");
        assert_eq!(BY_CODE.len(), 249);
        assert_eq!(code_of("UNITED kingdom"), Some("GB"));
        assert_eq!(code_of("USA"), Some("US"));
        assert_eq!((name_of("gb"), code_of("Atlantis")), (None, None));
    }
}
